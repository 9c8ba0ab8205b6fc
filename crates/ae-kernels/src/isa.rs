//! The instruction set that kernels use.

use std::env::VarError;
use std::sync::LazyLock;

use pulp::{Arch, WithSimd};

/// The environment variable that limits the instruction set.
const VARIABLE: &str = "AE_MAX_ISA";

/// The values of [`VARIABLE`] on this architecture, the widest last.
const NAMES: &[&str] = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    &["scalar", "avx2", "avx512"]
} else if cfg!(target_arch = "aarch64") {
    &["scalar", "neon"]
} else {
    &["scalar"]
};

/// The instruction set that kernels use: `scalar`, `neon`, `avx2` or `avx512`, the widest that the processor has
/// and that the environment variable `AE_MAX_ISA` allows. The variable is read once.
///
/// # Errors
/// If `AE_MAX_ISA` is no instruction set of this architecture. Kernels then print the error once to standard error
/// and use the widest instruction set.
pub fn isa() -> Result<&'static str, String> {
    CHOSEN.as_ref().map(|arch| name(*arch)).map_err(Clone::clone)
}

static CHOSEN: LazyLock<Result<Arch, String>> = LazyLock::new(|| {
    let limit = match std::env::var(VARIABLE) {
        Ok(limit) => limit,
        Err(VarError::NotPresent) => return Ok(Arch::new()),
        Err(VarError::NotUnicode(limit)) => limit.to_string_lossy().into_owned(),
    };
    limited(&limit)
});

/// The instruction set for kernels. An invalid variable is reported once.
static USED: LazyLock<Arch> = LazyLock::new(|| match &*CHOSEN {
    Ok(arch) => *arch,
    Err(message) => {
        eprintln!("warning: {message}; going on without a limit");
        Arch::new()
    }
});

fn limited(limit: &str) -> Result<Arch, String> {
    let allowed = NAMES.iter().position(|name| *name == limit);
    let allowed = allowed.ok_or_else(|| {
        format!("{VARIABLE}: expected one of {}, got `{limit}`", NAMES.join(", "))
    })?;
    let most = Arch::new();
    let has = NAMES.iter().position(|known| *known == name(most)).unwrap_or(0);
    Ok(if has <= allowed { most } else { of(NAMES[allowed]) })
}

/// The instruction set with that name, which the processor has.
fn of(name: &str) -> Arch {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if name == "avx2"
        && let Some(simd) = pulp::x86::V3::try_new()
    {
        return Arch::V3(simd);
    }
    let _ = name;
    Arch::Scalar
}

fn name(arch: Arch) -> &'static str {
    match arch {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V3(_) => "avx2",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V4(_) => "avx512",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "neon",
        _ => "scalar",
    }
}

/// The instruction set that kernels use, if it is not the processor's widest.
pub(crate) fn limit() -> Option<&'static str> {
    static LIMIT: LazyLock<Option<&'static str>> = LazyLock::new(|| {
        let [used, most] = [*USED, Arch::new()].map(name);
        (used != most).then_some(used)
    });
    *LIMIT
}

/// Runs a loop compiled for the widest vectors available.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    USED.dispatch(body)
}

/// Runs code written with explicit vectors for the widest vectors available.
#[inline(always)]
pub(crate) fn dispatched<W: WithSimd>(work: W) -> W::Output {
    USED.dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_limit() {
        let most = name(Arch::new());
        for (allowed, limit) in NAMES.iter().enumerate() {
            let used = name(limited(limit).unwrap());
            let at = |name| NAMES.iter().position(|known| *known == name).unwrap();
            assert_eq!(at(used), allowed.min(at(most)), "{limit}: {used}");
        }
    }

    #[test]
    fn a_limit_that_is_not_known_is_an_error() {
        for limit in ["", "AVX2", "avx1024"] {
            let error = limited(limit).unwrap_err();
            assert!(error.starts_with("AE_MAX_ISA: expected one of scalar"), "{error}");
            assert!(error.ends_with(&format!("got `{limit}`")), "{error}");
        }
    }
}
