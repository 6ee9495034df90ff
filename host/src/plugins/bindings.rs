//! What wasmtime makes of the WIT package. These types stay within `plugins`.

/// A check plugin: `check` and what it may import.
pub(super) mod check {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "check-plugin",
        imports: {
            "pihook:plugin/http.send": async,
            "pihook:plugin/files.stat": async,
            "pihook:plugin/files.entries": async,
            "pihook:plugin/files.read": async,
            "pihook:plugin/files.[static]reader.open": async,
            "pihook:plugin/files.[method]reader.read": async,
            "pihook:plugin/filesystems.measure": async,
            "pihook:plugin/filesystems.mounts": async,
            "pihook:plugin/system.snapshot": async,
            "pihook:plugin/processes.find": async,
            "pihook:plugin/commands.run": async,
            "pihook:plugin/units.inspect": async,
            "pihook:plugin/containers.inspect": async,
            "pihook:plugin/tcp.exchange": async,
            "pihook:plugin/tls.handshake": async,
            "pihook:plugin/dns.ask": async,
            "pihook:plugin/icmp.ping": async,
            default: trappable,
        },
        exports: { default: async },
        with: { "pihook:plugin/files.reader": super::super::imports::files::OpenFile },
    });
}

/// The optional export of a check plugin. Its imports are those of [`check`].
pub(super) mod settings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "validating-check-plugin",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "pihook:plugin/types": super::check::pihook::plugin::types,
            "pihook:plugin/log": super::check::pihook::plugin::log,
            "pihook:plugin/clock": super::check::pihook::plugin::clock,
            "pihook:plugin/state": super::check::pihook::plugin::state,
            "pihook:plugin/http": super::check::pihook::plugin::http,
            "pihook:plugin/files": super::check::pihook::plugin::files,
            "pihook:plugin/filesystems": super::check::pihook::plugin::filesystems,
            "pihook:plugin/system": super::check::pihook::plugin::system,
            "pihook:plugin/processes": super::check::pihook::plugin::processes,
            "pihook:plugin/commands": super::check::pihook::plugin::commands,
            "pihook:plugin/units": super::check::pihook::plugin::units,
            "pihook:plugin/containers": super::check::pihook::plugin::containers,
            "pihook:plugin/heartbeat": super::check::pihook::plugin::heartbeat,
            "pihook:plugin/net": super::check::pihook::plugin::net,
            "pihook:plugin/tcp": super::check::pihook::plugin::tcp,
            "pihook:plugin/tls": super::check::pihook::plugin::tls,
            "pihook:plugin/dns": super::check::pihook::plugin::dns,
            "pihook:plugin/icmp": super::check::pihook::plugin::icmp,
        },
    });
}

/// A formatter plugin. Its imports are among those of [`check`].
pub(super) mod formatter {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "formatter-plugin",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "pihook:plugin/types": super::check::pihook::plugin::types,
            "pihook:plugin/log": super::check::pihook::plugin::log,
            "pihook:plugin/clock": super::check::pihook::plugin::clock,
        },
    });
}

/// The optional export of a formatter plugin.
pub(super) mod digests {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "digests-alone",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "pihook:plugin/types": super::check::pihook::plugin::types,
            "pihook:plugin/alerts": super::formatter::pihook::plugin::alerts,
        },
    });
}
