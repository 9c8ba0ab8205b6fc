//! The values of `--device`.

/// The device that the user asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceRequest {
    /// The fastest of the CPU and the real GPUs for training, the CPU for everything else.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best real GPU.
    Gpu,
    /// The GPU with this index in `ae devices`.
    Number(usize),
    /// The GPU whose name contains this text.
    Named(String),
}

impl std::str::FromStr for DeviceRequest {
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

/// As on the command line.
impl std::fmt::Display for DeviceRequest {
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
    fn device_requests_round_trip() {
        for (text, request) in [
            ("auto", DeviceRequest::Auto),
            ("cpu", DeviceRequest::Cpu),
            ("gpu", DeviceRequest::Gpu),
            ("gpu:2", DeviceRequest::Number(2)),
            ("GeForce", DeviceRequest::Named("GeForce".into())),
        ] {
            assert_eq!(text.parse(), Ok(request.clone()));
            assert_eq!(request.to_string(), text);
        }
        assert!("gpu:x".parse::<DeviceRequest>().is_err());
    }
}
