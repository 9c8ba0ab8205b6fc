//! The one place where a device is chosen.

use burn::tensor::Device;

use crate::error::{Error, Result};

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

/// Whether this program was built with any way to reach a GPU.
const HAS_GPU_SUPPORT: bool = cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm"));

/// Chooses and opens a device, and says in one line which and why.
pub fn open(wanted: &Wanted) -> Result<(Opened, String)> {
    // Whoever asks for the CPU wants no driver started: it may be what fails.
    let gpus = if *wanted == Wanted::Cpu { Vec::new() } else { gpus() };
    let (gpu, why) = match choose(wanted, gpus)? {
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
fn choose(wanted: &Wanted, gpus: Vec<Gpu>) -> Result<(Option<Gpu>, String)> {
    let is_real = |gpu: &&Gpu| gpu.kind != Kind::Software;
    let best = gpus.iter().find(is_real).cloned();
    let line = |gpu: &Gpu| format!("{} ({}, {})", gpu.name, gpu.kind, gpu.api);
    let none = || match HAS_GPU_SUPPORT {
        false => "this program was built for the CPU only".to_owned(),
        true if gpus.is_empty() => "no GPU driver answers".to_owned(),
        true => format!("there is no real GPU, only {} (software)", gpus[0].name),
    };
    match wanted {
        Wanted::Cpu => Ok((None, format!("CPU: {}, as asked", cpu_name()))),
        Wanted::Auto => match best {
            Some(gpu) => {
                let line = format!("GPU: {}", line(&gpu));
                Ok((Some(gpu), line))
            }
            None => Ok((None, format!("CPU: {}, since {}", cpu_name(), none()))),
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

#[cfg(feature = "wgpu")]
mod wgpu {
    use burn::tensor::wgpu::{WgpuBackend, wgpu};
    use burn::tensor::{Device, DeviceKind};

    use super::{Gpu, Handle, Kind};

    /// How Burn is told which adapter is meant: by its interface, its kind and its number among
    /// those of its kind.
    #[derive(Clone, Debug)]
    pub struct Address {
        api: WgpuBackend,
        kind: DeviceKind,
    }

    /// The interfaces that compute well. OpenGL is not among them.
    const APIS: [(wgpu::Backend, WgpuBackend); 3] = [
        (wgpu::Backend::Vulkan, WgpuBackend::Vulkan),
        (wgpu::Backend::Metal, WgpuBackend::Metal),
        (wgpu::Backend::Dx12, WgpuBackend::Dx12),
    ];

    /// The adapters of the first interface that has a real GPU, else those of all.
    pub fn adapters() -> Vec<Gpu> {
        let mut all = Vec::new();
        for (backend, api) in APIS {
            let found = of(backend, api);
            if found.iter().any(|gpu| gpu.kind != Kind::Software) {
                return found;
            }
            all.extend(found);
        }
        all
    }

    fn of(backend: wgpu::Backend, api: WgpuBackend) -> Vec<Gpu> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: backend.into(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let adapters = pollster::block_on(instance.enumerate_adapters(backend.into()));
        let infos: Vec<_> = adapters.iter().map(|adapter| adapter.get_info()).collect();
        let number = |at: usize| {
            infos[..at].iter().filter(|info| info.device_type == infos[at].device_type).count()
        };
        let gpu = |(at, info): (usize, &wgpu::AdapterInfo)| {
            let (kind, address) = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => {
                    (Kind::Discrete, DeviceKind::DiscreteGpu(number(at)))
                }
                wgpu::DeviceType::IntegratedGpu => {
                    (Kind::Integrated, DeviceKind::IntegratedGpu(number(at)))
                }
                wgpu::DeviceType::VirtualGpu => (Kind::Virtual, DeviceKind::VirtualGpu(number(at))),
                // Burn cannot be told to take the second of several software adapters.
                wgpu::DeviceType::Cpu if number(at) == 0 => (Kind::Software, DeviceKind::Cpu),
                wgpu::DeviceType::Cpu => return None,
                // Nor one of which the driver says nothing, unless it is the only one.
                wgpu::DeviceType::Other if infos.len() == 1 => {
                    (Kind::Unknown, DeviceKind::DefaultDevice)
                }
                wgpu::DeviceType::Other => return None,
            };
            let driver =
                if info.driver.is_empty() { String::new() } else { format!(", {}", info.driver) };
            Some(Gpu {
                name: info.name.clone(),
                api: format!("{backend}{driver}"),
                kind,
                handle: Handle::Wgpu(Address { api, kind: address }),
            })
        };
        infos.iter().enumerate().filter_map(gpu).collect()
    }

    pub fn open(address: &Address) -> Result<Device, String> {
        let options = Device::wgpu_options().graphics_api(address.api);
        options.device_kind(address.kind.clone()).init().map_err(|error| error.to_string())
    }
}

#[cfg(all(test, feature = "wgpu"))]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_told_apart() {
        assert_eq!("gpu:2".parse(), Ok(Wanted::Number(2)));
        assert_eq!("GeForce".parse(), Ok(Wanted::Named("GeForce".into())));
        assert!("gpu:x".parse::<Wanted>().is_err());
    }

    #[test]
    fn a_machine_without_a_gpu_takes_the_cpu_and_says_why() {
        let (gpu, why) = choose(&Wanted::Auto, Vec::new()).unwrap();
        assert!(gpu.is_none());
        assert!(why.starts_with("CPU: ") && why.ends_with("since no GPU driver answers"), "{why}");
        let error = choose(&Wanted::Gpu, Vec::new()).err().unwrap().to_string();
        assert_eq!(
            error,
            "--device gpu: no GPU driver answers; `ae devices` lists what there is, --device cpu \
             always works"
        );
        let error = choose(&Wanted::Number(1), Vec::new()).err().unwrap().to_string();
        assert_eq!(error, "--device gpu:1: expected a number below 0, as `ae devices` shows");
    }
}
