//! The instruction set whose vectors kernels are written in.

use std::env::VarError;
use std::sync::LazyLock;

use pulp::{Arch, WithSimd};

/// The environment variable that sets the widest one.
const VARIABLE: &str = "AE_MAX_ISA";

/// The names that [`VARIABLE`] knows here, the widest last.
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
/// Where `AE_MAX_ISA` is none of the names that there are on this kind of processor. Kernels say so on the
/// standard error then and use all that there is.
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

/// For each kernel; a mistake is told once.
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

/// The one of that name; the processor has it.
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

/// The instruction set that kernels use, where it is not the widest of the processor.
pub(crate) fn limit() -> Option<&'static str> {
    static LIMIT: LazyLock<Option<&'static str>> = LazyLock::new(|| {
        let [used, most] = [*USED, Arch::new()].map(name);
        (used != most).then_some(used)
    });
    *LIMIT
}

/// Runs a loop compiled for the widest vectors that there are.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    USED.dispatch(body)
}

/// Runs what is written in vectors for the widest that there are.
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
