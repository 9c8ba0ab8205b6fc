//! The one place where a device is chosen.

mod present;
#[cfg(feature = "wgpu")]
mod wgpu;

use burn::tensor::Device;

use crate::error::{Error, Result};
pub use present::Present;

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The best real GPU, else the CPU.
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

/// What kind of thing computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Discrete,
    Integrated,
    Virtual,
    /// The driver does not say.
    Unknown,
    /// A program on the CPU that behaves like a GPU, slowly.
    Software,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Discrete => "GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Unknown => "unknown kind",
            Self::Software => "software, slow",
        })
    }
}

/// A GPU, or something that passes for one.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub name: String,
    /// The interface it is reached by, and the driver.
    pub api: String,
    pub kind: Kind,
    handle: Handle,
}

#[derive(Clone, Debug)]
enum Handle {
    #[cfg(feature = "wgpu")]
    Wgpu(wgpu::Address),
    #[cfg(any(feature = "cuda", feature = "rocm"))]
    Native(Device),
}

/// A device ready for use, and its name.
pub struct Opened {
    pub device: Device,
    pub name: String,
}

/// Everything there is besides the CPU, the best first; `gpu:N` counts in this order.
pub fn gpus() -> Vec<Gpu> {
    let mut found: Vec<Gpu> = Vec::new();
    #[cfg(feature = "cuda")]
    found.extend(native(burn::tensor::DeviceType::Cuda, "CUDA"));
    #[cfg(feature = "rocm")]
    found.extend(native(burn::tensor::DeviceType::Rocm, "ROCm"));
    #[cfg(feature = "wgpu")]
    found.extend(wgpu::adapters());
    found.sort_by_key(|gpu| gpu.kind);
    found
}

/// How a program that reaches a GPU is built.
pub const BUILD: &str =
    "cargo run --release --features gpu, or cargo install --path crates/ae-cli --features gpu";

/// What there is besides the CPU.
pub enum Others {
    /// What drivers answer.
    Gpus(Vec<Gpu>),
    /// This program is built for the CPU alone, though these are there.
    NotBuilt(Vec<Present>),
}

impl Others {
    pub fn find() -> Self {
        match cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm")) {
            true => Self::Gpus(gpus()),
            false => Self::NotBuilt(present::present()),
        }
    }
}

/// Chooses and opens a device, and says in one line which and why.
pub fn open(wanted: &Wanted) -> Result<(Opened, String)> {
    // Whoever asks for the CPU wants no driver started: it may be what fails.
    let others = if *wanted == Wanted::Cpu { Others::Gpus(Vec::new()) } else { Others::find() };
    let (gpu, why) = match choose(wanted, others)? {
        (Some(gpu), why) => (gpu, why),
        (None, why) => {
            let opened = Opened { device: Device::flex(), name: cpu_name() };
            return Ok((opened, why));
        }
    };
    let device = gpu.open().map_err(|reason| {
        Error::usage(format!(
            "{} ({}) is there but cannot be used: {reason}; try another with --device, or --device \
             cpu",
            gpu.name, gpu.api
        ))
    })?;
    Ok((Opened { device, name: format!("{} ({})", gpu.name, gpu.api) }, why))
}

/// The GPU to take (`None`: the CPU), and why.
fn choose(wanted: &Wanted, others: Others) -> Result<(Option<Gpu>, String)> {
    let cpu = cpu_name();
    let gpus = match (wanted, others) {
        (Wanted::Cpu, _) => return Ok((None, format!("CPU: {cpu}, as asked"))),
        (_, Others::Gpus(gpus)) => gpus,
        (Wanted::Auto, Others::NotBuilt(present)) => {
            let why = match &present[..] {
                [] => "the only device that this program is built for".to_owned(),
                [gpu, ..] => format!("since this program is not built for {}: {BUILD}", gpu.name),
            };
            return Ok((None, format!("CPU: {cpu}, {why}")));
        }
        (_, Others::NotBuilt(_)) => {
            return Err(Error::usage(format!(
                "--device {wanted}: this program is built for the CPU only; for a GPU as well: {BUILD}"
            )));
        }
    };
    let is_real = |gpu: &&Gpu| gpu.kind != Kind::Software;
    let best = gpus.iter().find(is_real).cloned();
    let line = |gpu: &Gpu| format!("{} ({}, {})", gpu.name, gpu.kind, gpu.api);
    let none = || match gpus.first() {
        None => "no GPU driver answers".to_owned(),
        Some(software) => format!("there is no real GPU, only {} (software)", software.name),
    };
    match wanted {
        Wanted::Cpu => unreachable!("taken above"),
        Wanted::Auto => match best {
            Some(gpu) => {
                let line = format!("GPU: {}", line(&gpu));
                Ok((Some(gpu), line))
            }
            None => Ok((None, format!("CPU: {cpu}, since {}", none()))),
        },
        Wanted::Gpu => match best {
            Some(gpu) => {
                let line = format!("GPU: {}, as asked", line(&gpu));
                Ok((Some(gpu), line))
            }
            None => Err(Error::usage(format!(
                "--device gpu: {}; `ae devices` lists what there is, --device cpu always works",
                none()
            ))),
        },
        Wanted::Number(number) => match gpus.get(*number) {
            Some(gpu) => Ok((Some(gpu.clone()), format!("GPU {number}: {}, as asked", line(gpu)))),
            None => Err(Error::usage(format!(
                "--device gpu:{number}: expected a number below {}, as `ae devices` shows",
                gpus.len()
            ))),
        },
        Wanted::Named(name) => {
            let has_name = |gpu: &&Gpu| gpu.name.to_lowercase().contains(&name.to_lowercase());
            match gpus.iter().filter(has_name).collect::<Vec<_>>()[..] {
                [gpu] => Ok((Some(gpu.clone()), format!("GPU: {}, as asked", line(gpu)))),
                [] => Err(Error::usage(format!(
                    "--device {name}: no device has that in its name; `ae devices` lists what there \
                     is"
                ))),
                [first, second, ..] => Err(Error::usage(format!(
                    "--device {name}: {} and {} both have that in their names; take gpu:N",
                    first.name, second.name
                ))),
            }
        }
    }
}

impl Gpu {
    fn open(&self) -> Result<Device, String> {
        match &self.handle {
            #[cfg(feature = "wgpu")]
            Handle::Wgpu(address) => wgpu::open(address),
            #[cfg(any(feature = "cuda", feature = "rocm"))]
            Handle::Native(device) => Ok(device.clone()),
            #[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
            _ => Err("this program was built for the CPU only".into()),
        }
    }
}

#[cfg(any(feature = "cuda", feature = "rocm"))]
fn native(kind: burn::tensor::DeviceType, api: &str) -> Vec<Gpu> {
    let devices = Device::enumerate(kind).into_vec().into_iter().enumerate();
    devices
        .map(|(number, device)| Gpu {
            name: device.identity().map_or(format!("{api} device {number}"), |id| id.name),
            api: api.to_owned(),
            kind: Kind::Discrete,
            handle: Handle::Native(device),
        })
        .collect()
}

/// The model of the CPU where the system tells, and its cores.
pub fn cpu_name() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = format!("{cores} core{}", if cores == 1 { "" } else { "s" });
    model.map_or(cores.clone(), |model| format!("{model}, {cores}"))
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

    #[test]
    fn a_machine_without_a_gpu_takes_the_cpu_and_says_why() {
        let none = || Others::Gpus(Vec::new());
        let (gpu, why) = choose(&Wanted::Auto, none()).unwrap();
        assert!(gpu.is_none());
        assert!(why.starts_with("CPU: ") && why.ends_with("since no GPU driver answers"), "{why}");
        let error = choose(&Wanted::Gpu, none()).err().unwrap().to_string();
        assert_eq!(
            error,
            "--device gpu: no GPU driver answers; `ae devices` lists what there is, --device cpu \
             always works"
        );
        let error = choose(&Wanted::Number(1), none()).err().unwrap().to_string();
        assert_eq!(error, "--device gpu:1: expected a number below 0, as `ae devices` shows");
    }

    #[test]
    fn a_program_for_the_cpu_tells_of_gpus_and_how_it_is_built_for_them() {
        let gpu = Present { name: "NVIDIA H200".into(), driver: None, memory: None };
        let (_, why) = choose(&Wanted::Auto, Others::NotBuilt(vec![gpu.clone()])).unwrap();
        let end = format!("since this program is not built for NVIDIA H200: {BUILD}");
        assert!(why.starts_with("CPU: ") && why.ends_with(&end), "{why}");
        let (_, why) = choose(&Wanted::Auto, Others::NotBuilt(Vec::new())).unwrap();
        assert!(why.ends_with("the only device that this program is built for"), "{why}");
        for wanted in [Wanted::Gpu, Wanted::Number(0), Wanted::Named("H200".into())] {
            for present in [vec![gpu.clone()], Vec::new()] {
                let error = choose(&wanted, Others::NotBuilt(present)).err().unwrap().to_string();
                let expected = format!(
                    "--device {wanted}: this program is built for the CPU only; for a GPU as well: \
                     cargo run --release --features gpu, or cargo install --path crates/ae-cli \
                     --features gpu"
                );
                assert_eq!(error, expected);
            }
        }
    }
}
