//! What makes a component of a crate. Natively the macros only check that the trait is implemented.

/// Exports a type that implements [`Check`](crate::Check) as the crate's check.
#[macro_export]
macro_rules! export_check {
    ($check:ty) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            type Guest = $crate::wall::CheckGuest<$check>;
            #[cfg(target_arch = "wasm32")]
    $crate::wall::check_bindings::export!(Guest with_types_in $crate::wall::check_bindings);

            const fn implements_check<T: $crate::Check>() {}
            implements_check::<$check>()
        };
    };
}

/// Exports a type that implements [`Formatter`](crate::Formatter) as the crate's formatter.
#[macro_export]
macro_rules! export_formatter {
    ($formatter:ty) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            type Guest = $crate::wall::FormatterGuest<$formatter>;
            #[cfg(target_arch = "wasm32")]
    $crate::wall::formatter_bindings::export!(Guest with_types_in $crate::wall::formatter_bindings);

            const fn implements_formatter<T: $crate::Formatter>() {}
            implements_formatter::<$formatter>()
        };
    };
}

/// Exports a type that implements [`DigestFormatter`](crate::DigestFormatter) as the crate's formatter.
#[macro_export]
macro_rules! export_digest_formatter {
    ($formatter:ty) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            type Guest = $crate::wall::FormatterGuest<$formatter>;
            #[cfg(target_arch = "wasm32")]
    $crate::wall::formatter_bindings::export!(Guest with_types_in $crate::wall::formatter_bindings);
            #[cfg(target_arch = "wasm32")]
    $crate::wall::digest_bindings::export!(Guest with_types_in $crate::wall::digest_bindings);

            const fn implements_formatter<T: $crate::DigestFormatter>() {}
            implements_formatter::<$formatter>()
        };
    };
}
