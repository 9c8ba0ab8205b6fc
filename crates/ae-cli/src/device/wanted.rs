//! What `--device` takes.

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// To train, the faster one of the CPU and the real GPUs; for all else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best real GPU.
    Gpu,
    /// The GPU of that number in the list.
    Number(usize),
    /// The GPU whose name contains this.
    Named(String),
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected auto, cpu, gpu, gpu:N or part of a name".into()),
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => match text.strip_prefix("gpu:") {
                Some(number) => number
                    .parse()
                    .map(Self::Number)
                    .map_err(|_| "expected gpu:N, N a number from `ae devices`".into()),
                None => Ok(Self::Named(text.to_owned())),
            },
        }
    }
}

/// As it is given.
impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu => f.write_str("gpu"),
            Self::Number(number) => write!(f, "gpu:{number}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_told_apart() {
        for (text, wanted) in [
            ("auto", Wanted::Auto),
            ("cpu", Wanted::Cpu),
            ("gpu", Wanted::Gpu),
            ("gpu:2", Wanted::Number(2)),
            ("GeForce", Wanted::Named("GeForce".into())),
        ] {
            assert_eq!(text.parse(), Ok(wanted.clone()));
            assert_eq!(wanted.to_string(), text);
        }
        assert!("gpu:x".parse::<Wanted>().is_err());
    }
}
