//! The device that `--device` selects.

use super::{BUILD, Detected, DeviceRequest, Gpu, GpuKind, cpu_name};
use crate::{Error, Result};

/// The selected device, and why.
pub enum Pick {
    Cpu(String),
    Gpu(Box<Gpu>, String),
    /// The fastest of the CPU and these GPUs.
    Fastest(Vec<Gpu>),
}

pub fn choose(request: &DeviceRequest, detected: Detected, software_counts: bool) -> Result<Pick> {
    let cpu = cpu_name();
    let gpus = match (request, detected) {
        (DeviceRequest::Cpu, _) => return Ok(Pick::Cpu(format!("CPU: {cpu}, as requested"))),
        (_, Detected::Gpus(gpus)) => gpus,
        (DeviceRequest::Auto, Detected::NotBuilt(gpus)) => {
            let why = match &gpus[..] {
                [] => "the only device this program is built for".to_owned(),
                [gpu, ..] => {
                    format!("since this program is built without support for {}: {BUILD}", gpu.name)
                }
            };
            return Ok(Pick::Cpu(format!("CPU: {cpu}, {why}")));
        }
        (_, Detected::NotBuilt(_)) => {
            return Err(Error::usage(format!(
                "--device {request}: this program is built for the CPU only; build it with GPU support: {BUILD}"
            )));
        }
    };
    let is_real = |gpu: &&Gpu| gpu.kind != GpuKind::Software || software_counts;
    let real: Vec<Gpu> = gpus.iter().filter(is_real).cloned().collect();
    let none = || match gpus.first() {
        None => "no GPU driver responds".to_owned(),
        Some(software) => format!("there is no real GPU, only {} (software)", software.name),
    };
    let requested =
        |gpu: &Gpu| Pick::Gpu(Box::new(gpu.clone()), format!("GPU: {}, as requested", gpu.title()));
    match request {
        DeviceRequest::Cpu => unreachable!("handled above"),
        DeviceRequest::Auto if real.is_empty() => {
            Ok(Pick::Cpu(format!("CPU: {cpu}, since {}", none())))
        }
        DeviceRequest::Auto => Ok(Pick::Fastest(real)),
        DeviceRequest::Gpu => real.first().map(requested).ok_or_else(|| {
            Error::usage(format!("--device gpu: {}; see `ae devices`, or use --device cpu", none()))
        }),
        DeviceRequest::Number(number) => match gpus.get(*number) {
            Some(gpu) => {
                let why = format!("GPU {number}: {}, as requested", gpu.title());
                Ok(Pick::Gpu(Box::new(gpu.clone()), why))
            }
            None => Err(Error::usage(format!(
                "--device gpu:{number}: expected a number below {}, see `ae devices`",
                gpus.len()
            ))),
        },
        DeviceRequest::Named(name) => {
            let has_name = |gpu: &&Gpu| gpu.name.to_lowercase().contains(&name.to_lowercase());
            match gpus.iter().filter(has_name).collect::<Vec<_>>()[..] {
                [gpu] => Ok(requested(gpu)),
                [] => Err(Error::usage(format!(
                    "--device {name}: no device name contains it; see `ae devices`"
                ))),
                [first, second, ..] => Err(Error::usage(format!(
                    "--device {name}: the names of {} and {} contain it; use gpu:N",
                    first.name, second.name
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SystemGpu;
    use super::super::gpu::Handle;
    use super::*;

    fn gpu(name: &str, kind: GpuKind) -> Gpu {
        let handle = Handle::Test(Err("not a real device".into()));
        Gpu::new(name.into(), "Vulkan".into(), "1.2".into(), kind, handle)
    }

    fn refused(request: &DeviceRequest, detected: Detected) -> String {
        choose(request, detected, false).err().unwrap().to_string()
    }

    fn takes_cpu(detected: Detected) -> String {
        match choose(&DeviceRequest::Auto, detected, false).unwrap() {
            Pick::Cpu(why) => why,
            Pick::Gpu(..) | Pick::Fastest(_) => panic!("expected the CPU"),
        }
    }

    #[test]
    fn without_a_gpu_the_cpu_is_used_and_the_reason_given() {
        let none = || Detected::Gpus(Vec::new());
        let why = takes_cpu(none());
        assert!(why.starts_with("CPU: ") && why.ends_with("since no GPU driver responds"), "{why}");
        assert_eq!(
            refused(&DeviceRequest::Gpu, none()),
            "--device gpu: no GPU driver responds; see `ae devices`, or use --device cpu"
        );
        assert_eq!(
            refused(&DeviceRequest::Number(1), none()),
            "--device gpu:1: expected a number below 0, see `ae devices`"
        );
    }

    #[test]
    fn a_software_driver_counts_as_a_gpu_only_if_forced() {
        let software = || Detected::Gpus(vec![gpu("llvmpipe", GpuKind::Software)]);
        let why = takes_cpu(software());
        assert!(why.ends_with("since there is no real GPU, only llvmpipe (software)"), "{why}");
        let forced = |request| choose(request, software(), true).unwrap();
        assert!(matches!(forced(&DeviceRequest::Auto), Pick::Fastest(gpus) if gpus.len() == 1));
        assert!(matches!(forced(&DeviceRequest::Gpu), Pick::Gpu(gpu, _) if gpu.name == "llvmpipe"));
        // By number or name it is used in any case.
        let pick = choose(&DeviceRequest::Number(0), software(), false).unwrap();
        assert!(matches!(pick, Pick::Gpu(..)));
    }

    #[test]
    fn auto_measures_real_gpus_and_gpu_selects_the_best() {
        let all = || {
            let software = gpu("llvmpipe", GpuKind::Software);
            Detected::Gpus(vec![
                gpu("Voodoo2", GpuKind::Discrete),
                gpu("i740", GpuKind::Integrated),
                software,
            ])
        };
        let Pick::Fastest(gpus) = choose(&DeviceRequest::Auto, all(), false).unwrap() else {
            panic!()
        };
        let names: Vec<&str> = gpus.iter().map(|gpu| gpu.name.as_str()).collect();
        assert_eq!(names, ["Voodoo2", "i740"]);
        let Pick::Gpu(_, why) = choose(&DeviceRequest::Gpu, all(), false).unwrap() else {
            panic!()
        };
        assert_eq!(why, "GPU: Voodoo2 (GPU, Vulkan), as requested");
    }

    #[test]
    fn a_cpu_build_names_the_gpu_and_how_to_build_for_it() {
        let gpu = SystemGpu { name: "NVIDIA H200".into(), driver: None, memory: None };
        let why = takes_cpu(Detected::NotBuilt(vec![gpu.clone()]));
        let end = format!("since this program is built without support for NVIDIA H200: {BUILD}");
        assert!(why.starts_with("CPU: ") && why.ends_with(&end), "{why}");
        let why = takes_cpu(Detected::NotBuilt(Vec::new()));
        assert!(why.ends_with("the only device this program is built for"), "{why}");
        for request in
            [DeviceRequest::Gpu, DeviceRequest::Number(0), DeviceRequest::Named("H200".into())]
        {
            for gpus in [vec![gpu.clone()], Vec::new()] {
                let expected = format!(
                    "--device {request}: this program is built for the CPU only; build it with GPU support: \
                     cargo run --release --features gpu, or cargo install --path crates/ae-cli \
                     --features gpu"
                );
                assert_eq!(refused(&request, Detected::NotBuilt(gpus)), expected);
            }
        }
    }
}
