//! Merging of recipe values.

use serde::Serialize;
use toml::{Table, Value};

use crate::error::{Error, Result};

/// A section: `overrides` over the defaults. An unknown key is an error.
pub(super) fn section<T>(name: &str, defaults: T, overrides: &Table) -> Result<T>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let broken = |error: &dyn std::fmt::Display| Error::usage(format!("[{name}] {error}"));
    let mut merged = Table::try_from(defaults).map_err(|error| broken(&error))?;
    match overrides.get(name) {
        Some(Value::Table(overrides)) => merge(&mut merged, overrides),
        Some(other) => {
            let message = format!("[{name}] expected a section, got {}", other.type_str());
            return Err(Error::usage(message));
        }
        None => {}
    }
    merged.try_into().map_err(|error: toml::de::Error| broken(&error.message()))
}

/// Keys of enums, whose values are replaced and not merged.
const ENUMS: [&str; 5] = ["corruption", "norm", "decay", "k_sparse", "jacobian"];

/// Merges `over` into `base`. Sections merge, unless they are an enum or have another `kind`.
pub fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over))
                if !ENUMS.contains(&key.as_str())
                    && over.get("kind").is_none_or(|kind| base.get("kind") == Some(kind)) =>
            {
                merge(base, over);
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_replace_or_merge() {
        let merged = |base: &str, over: &str| {
            let mut base: Table = base.parse().unwrap();
            merge(&mut base, &over.parse().unwrap());
            base
        };
        for (base, over, expected) in [
            ("[model]\ncode = 8", "[model]\ntied = true", "[model]\ncode = 8\ntied = true"),
            (
                "[objective]\ncorruption = { masking = 0.25 }",
                "[objective]\ncorruption = { gaussian = 0.3 }",
                "[objective]\ncorruption = { gaussian = 0.3 }",
            ),
            (
                "[model]\nkind = 'conv'\nchannels = [8]",
                "[model]\nkind = 'dense'",
                "[model]\nkind = 'dense'",
            ),
            (
                "[schedule.optimizer]\nkind = 'adam'\nbeta_1 = 0.9",
                "[schedule.optimizer]\nbeta_1 = 0.8",
                "[schedule.optimizer]\nkind = 'adam'\nbeta_1 = 0.8",
            ),
            (
                "[objective]\nk_sparse = { units = 25, from = 100, epochs = 5 }\nkl = { weight = 1.0 }",
                "[objective]\nk_sparse = { units = 9 }\nkl = { target = 0.1 }",
                "[objective]\nk_sparse = { units = 9 }\nkl = { weight = 1.0, target = 0.1 }",
            ),
        ] {
            assert_eq!(merged(base, over), expected.parse().unwrap());
        }
    }
}
