//! The list of `ae devices`.

use std::fmt::Write;

use super::cache::RateCache;
use super::{BUILD, Detected, GpuKind, cpu_identity, cpu_name, software_counts};
use ae_train::format::count;

/// Back ends that this program was built for.
const BUILT: [(&str, bool); 6] = [
    ("Vulkan, Metal and DX12", cfg!(feature = "wgpu")),
    ("SPIR-V for Vulkan", cfg!(feature = "vulkan")),
    ("MSL for Metal", cfg!(feature = "metal")),
    ("CUDA", cfg!(feature = "cuda")),
    ("ROCm", cfg!(feature = "rocm")),
    ("the CPU", true),
];

/// A device of `ae devices`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ListedDevice {
    /// What `--device` takes: `cpu` or `gpu:0`; `None` for a GPU that this program is not built for.
    pub device: Option<String>,
    /// Its name, with its kind and driver.
    pub name: String,
    /// In bytes, where it is known.
    pub memory: Option<u64>,
    /// Measured trainings.
    pub measured: Vec<MeasuredSpeed>,
    /// Whether `--device auto` may choose it.
    pub is_candidate: bool,
}

/// How fast a device trained.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MeasuredSpeed {
    /// The training, such as `conv, code 32, 1x28x28, batch 128`.
    pub training: String,
    /// Its speed.
    pub samples_per_second: f64,
}

/// The CPU and all GPUs.
pub fn devices() -> Vec<ListedDevice> {
    entries(&Detected::find(), &RateCache::read(), software_counts())
}

/// Every device in a line, with measured speeds below.
pub fn list() -> String {
    to_text(&devices())
}

fn entries(detected: &Detected, cache: &RateCache, software_counts: bool) -> Vec<ListedDevice> {
    let measured = |identity: &str| {
        let speed = |(job, rate): (&str, f64)| MeasuredSpeed {
            training: job.to_owned(),
            samples_per_second: rate,
        };
        cache.of_device(identity).map(speed).collect()
    };
    let mut entries = vec![ListedDevice {
        device: Some("cpu".to_owned()),
        name: cpu_name(),
        memory: memory(),
        measured: measured(&cpu_identity()),
        is_candidate: true,
    }];
    match detected {
        Detected::Gpus(gpus) => {
            entries.extend(gpus.iter().enumerate().map(|(number, gpu)| {
                let version = match gpu.version.is_empty() {
                    true => String::new(),
                    false => format!(", driver {}", gpu.version),
                };
                ListedDevice {
                    device: Some(format!("gpu:{number}")),
                    name: format!("{}{version}", gpu.title()),
                    memory: gpu.memory,
                    measured: measured(&gpu.identity()),
                    is_candidate: gpu.kind != GpuKind::Software || software_counts,
                }
            }));
        }
        Detected::NotBuilt(gpus) => entries.extend(gpus.iter().map(|gpu| {
            let driver = gpu.driver.as_ref().map(|it| format!(" (driver {it})"));
            ListedDevice {
                device: None,
                name: format!("{}{}", gpu.name, driver.unwrap_or_default()),
                memory: gpu.memory,
                measured: vec![],
                is_candidate: false,
            }
        })),
    }
    entries
}

fn to_text(devices: &[ListedDevice]) -> String {
    let mut text = String::new();
    for ListedDevice { device, name, memory, measured, .. } in devices {
        // Writing to a string does not fail.
        let _ = match device {
            Some(tag) => writeln!(text, "{tag:<6} {name}{}", in_gib(*memory)),
            None => writeln!(
                text,
                "-      {name}{}: this program is not built for it; {BUILD}",
                in_gib(*memory)
            ),
        };
        for MeasuredSpeed { training, samples_per_second } in measured {
            let speed = count(*samples_per_second);
            let _ = writeln!(text, "       measured: {speed} samples/s of {training}");
        }
    }
    let built: Vec<&str> = BUILT.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let _ = writeln!(text, "built for {}", built.join(", "));
    let candidates = devices.iter().filter(|it| it.is_candidate);
    let candidates: Vec<&str> = candidates.filter_map(|it| it.device.as_deref()).collect();
    let _ = match candidates.len() {
        1 => writeln!(text, "--device auto uses the cpu"),
        _ => writeln!(
            text,
            "--device auto trains on the fastest of {} (a short trial), and uses the cpu for everything \
             else",
            candidates.join(", ")
        ),
    };
    text
}

fn in_gib(memory: Option<u64>) -> String {
    let gib = |bytes| format!(", {:.1} GiB of memory", bytes as f64 / f64::from(1 << 30));
    memory.map_or(String::new(), gib)
}

/// The memory of the machine, on Linux.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::super::SystemGpu;
    use super::super::gpu::{Gpu, Handle};
    use super::*;

    fn lines(detected: &Detected) -> Vec<String> {
        to_text(&entries(detected, &RateCache::default(), false))
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_cpu_build_lists_the_gpus_it_cannot_use() {
        let gpu = SystemGpu {
            name: "AMD GPU 0x744c".into(),
            driver: Some("amdgpu".into()),
            memory: Some(24 << 30),
        };
        let printed = lines(&Detected::NotBuilt(vec![gpu]));
        assert!(printed[0].starts_with(&format!("cpu    {}", cpu_name())), "{printed:?}");
        assert_eq!(
            printed[1],
            format!(
                "-      AMD GPU 0x744c (driver amdgpu), 24.0 GiB of memory: this program is not built \
                 for it; {BUILD}"
            )
        );
        assert_eq!(printed[3..], ["--device auto uses the cpu"]);
    }

    #[test]
    fn devices_are_listed_with_measurements() {
        let gpu = |name: &str, kind| {
            let handle = Handle::Test(Err("not a real device".into()));
            Gpu::new(name.into(), "Vulkan, mesa".into(), "22.3".into(), kind, handle)
        };
        let gpus = vec![gpu("Voodoo2", GpuKind::Discrete), gpu("llvmpipe", GpuKind::Software)];
        let mut cache = RateCache::default();
        cache.insert(
            &[cpu_identity(), gpus[0].identity()],
            &[12_300.4, 26_400.0],
            "conv, code 32, 1x28x28, batch 128",
            "key",
            1000,
        );
        let text = to_text(&entries(&Detected::Gpus(gpus), &cache, false));
        let printed: Vec<&str> = text.lines().collect();
        let measured = "measured: 12,300 samples/s of conv, code 32, 1x28x28, batch 128";
        assert_eq!(printed[1].trim(), measured);
        assert_eq!(printed[2], "gpu:0  Voodoo2 (GPU, Vulkan, mesa), driver 22.3");
        assert_eq!(printed[3].trim(), measured.replace("12,300", "26,400"));
        assert_eq!(printed[4], "gpu:1  llvmpipe (software, slow, Vulkan, mesa), driver 22.3");
        assert!(
            printed[5].starts_with("built for ") && printed[5].ends_with("the CPU"),
            "{printed:?}"
        );
        assert_eq!(
            printed[6],
            "--device auto trains on the fastest of cpu, gpu:0 (a short trial), and uses the cpu for \
             everything else"
        );
        assert_eq!(printed.len(), 7);
    }
}
