//! What wasmtime makes of the WIT package. These types stay within `plugins`.

/// A check plugin: `check` and what it may import.
pub(super) mod check {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "check-plugin",
        imports: {
            "pihook:plugin/http.send": async,
            default: trappable,
        },
        exports: { default: async },
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
