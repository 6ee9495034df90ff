//! From a plugin's bytes to something that can be called.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};

use super::bindings::{check, digests, formatter, settings};
use super::cache::Cache;
use super::compile::{CompileError, Compiler};
use super::digest::Digest;
use super::engine::PluginEngine;
use super::library::Library;
use super::limits::Limits;
use super::run::RunState;
use super::source::PluginSource;
use super::{Kind, Plugin, imports};

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file is not the one that services.yaml names.
    #[error(
        "its SHA-256 is {found}, and services.yaml wants {wanted}: update `sha256:` if you trust the new file"
    )]
    Digest {
        /// What services.yaml says.
        wanted: String,
        /// What the file has.
        found: Digest,
    },
    /// The cache folder cannot be used.
    #[error("cannot use the plugin cache {}", .0.display())]
    Cache(PathBuf, #[source] io::Error),
    /// It cannot be compiled.
    #[error("cannot be compiled")]
    Compile(#[source] CompileError),
    /// The compiled file cannot be loaded, although it was made just now.
    #[error("cannot be loaded: {0}")]
    Load(String),
    /// It does not fit this host.
    #[error("{0}")]
    Unfit(String),
    /// The engine cannot be set up on this machine.
    #[error("the sandbox cannot be set up: {0}")]
    Engine(String),
}

/// The engine, the links and the cache: what loading needs.
pub struct PluginHost {
    engine: Arc<PluginEngine>,
    linker: Linker<RunState>,
    cache: Cache,
    compiler: Compiler,
}

impl PluginHost {
    /// Sets the sandbox up, with the compiled plugins in `cache`.
    pub fn new(cache: &Path, compiler: Compiler) -> Result<Self, LoadError> {
        let engine = PluginEngine::new().map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let mut linker = Linker::new(engine.engine());
        imports::link(&mut linker).map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let cache = Cache::open(cache).map_err(|error| LoadError::Cache(cache.to_owned(), error))?;
        Ok(Self { engine: Arc::new(engine), linker, cache, compiler })
    }

    /// Loads a plugin, from the cache if it was compiled before.
    pub async fn load(&self, source: &PluginSource) -> Result<Plugin, LoadError> {
        let digest = Digest::of(&source.wasm);
        let component = match self.load_cached(&digest) {
            Some(component) => component,
            None => self.compile(source, &digest).await?,
        };
        let imports = self.imports_of(&component);
        let pre = self.linker.instantiate_pre(&component).map_err(|error| unfit(&imports, &error))?;
        let kind = kind_of(pre)?;
        let usual = if matches!(kind, Kind::Check { .. }) { Limits::CHECK } else { Limits::FORMATTER };
        let limits = Limits {
            memory: source.memory.unwrap_or(usual.memory),
            cpu: source.cpu.unwrap_or(usual.cpu),
            ..usual
        };
        Ok(Plugin {
            id: source.id.clone(),
            label: format!("{} (sha256:{})", source.id, digest.short()),
            engine: self.engine.clone(),
            digest,
            limits,
            kind,
            imports,
        })
    }

    /// Removes what no plugin of this library needs from the folder of compiled plugins. For the daemon alone, and while
    /// nothing is being loaded: what another process compiles at this moment might be lost to it.
    pub fn sweep_cache(&self, library: &Library) {
        self.cache.sweep(&library.digests());
    }

    fn load_cached(&self, digest: &Digest) -> Option<Component> {
        if !self.cache.has(digest) {
            return None;
        }
        self.map(digest)
            .inspect_err(|error| {
                tracing::info!(%digest, "a compiled plugin does not fit any more and is made anew: {error:#}");
                self.cache.forget(digest);
            })
            .ok()
    }

    async fn compile(&self, source: &PluginSource, digest: &Digest) -> Result<Component, LoadError> {
        tracing::info!(plugin = source.id, "compiling; this is done once");
        self.compiler.compile(&source.wasm, &self.cache.path(digest)).await.map_err(LoadError::Compile)?;
        self.map(digest).map_err(|error| LoadError::Load(format!("{error:#}")))
    }

    #[expect(unsafe_code, reason = "loading compiled code is what a plugin host is for")]
    fn map(&self, digest: &Digest) -> wasmtime::Result<Component> {
        // SAFETY: the file was written by our own compiler into a folder that only this user can write, under another
        // name first, and is never changed in place; its digest was checked just before.
        unsafe { Component::deserialize_file(self.engine.engine(), self.cache.path(digest)) }
    }

    fn imports_of(&self, component: &Component) -> Vec<String> {
        let mut imports: Vec<String> = component
            .component_type()
            .imports(self.engine.engine())
            .map(|(name, _)| name.to_owned())
            .collect();
        imports.sort();
        imports
    }
}

fn unfit(imports: &[String], error: &wasmtime::Error) -> LoadError {
    if let Some(import) = imports.iter().find(|import| import.starts_with("wasi:") && import.contains("@0.3"))
    {
        return LoadError::Unfit(format!("it imports {import}: rebuild it for the target wasm32-wasip2"));
    }
    LoadError::Unfit(format!("it does not fit this host, which offers pihook:plugin@0.1.0: {error:#}"))
}

fn kind_of(pre: InstancePre<RunState>) -> Result<Kind, LoadError> {
    let check_error = match check::CheckPluginPre::new(pre.clone()) {
        Ok(run) => {
            let validate = settings::ValidatingCheckPluginPre::new(pre).ok();
            return Ok(Kind::Check { run, validate });
        }
        Err(error) => error,
    };
    let digest = digests::DigestsAlonePre::new(pre.clone()).ok();
    let formatter = formatter::FormatterPluginPre::new(pre).map(|format| Kind::Formatter { format, digest });
    formatter.map_err(|formatter_error| {
        LoadError::Unfit(format!(
            "it exports neither pihook:plugin/check@0.1.0 ({check_error:#}) nor pihook:plugin/formatter@0.1.0 \
             ({formatter_error:#})"
        ))
    })
}
