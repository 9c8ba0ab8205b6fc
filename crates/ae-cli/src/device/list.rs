//! What `ae devices` says: which devices there are, and what is known of each.

use std::fmt::Write;

use super::known::Known;
use super::{BUILD, Kind, Others, cpu_identity, cpu_name, software_counts};
use crate::observers::count;

/// Interfaces that this program was built for.
const BUILT: [(&str, bool); 6] = [
    ("Vulkan, Metal and DX12", cfg!(feature = "wgpu")),
    ("SPIR-V for Vulkan", cfg!(feature = "vulkan")),
    ("MSL for Metal", cfg!(feature = "metal")),
    ("CUDA", cfg!(feature = "cuda")),
    ("ROCm", cfg!(feature = "rocm")),
    ("the CPU", true),
];

/// Every device, in lines.
pub fn list() -> String {
    in_text(&Others::find(), &Known::read(), software_counts())
}

fn in_text(others: &Others, known: &Known, software_counts: bool) -> String {
    let mut text = String::new();
    let measured = |identity: &str| -> String {
        let line = |(training, rate)| {
            format!("       measured: {} samples/s of {training}\n", count(rate))
        };
        known.of_device(identity).map(line).collect()
    };
    // Writing to a string does not fail.
    let _ = writeln!(text, "cpu    {}{}", cpu_name(), in_gib(memory()));
    text += &measured(&cpu_identity());
    let mut candidates = vec!["cpu".to_owned()];
    match others {
        Others::Gpus(gpus) => {
            for (number, gpu) in gpus.iter().enumerate() {
                let tag = format!("gpu:{number}");
                let version = match gpu.version.is_empty() {
                    true => String::new(),
                    false => format!(", driver {}", gpu.version),
                };
                let _ = writeln!(text, "{tag:<6} {}{version}{}", gpu.title(), in_gib(gpu.memory));
                text += &measured(&gpu.identity());
                if gpu.kind != Kind::Software || software_counts {
                    candidates.push(tag);
                }
            }
        }
        Others::NotBuilt(present) => {
            for gpu in present {
                let driver = gpu.driver.as_ref().map(|it| format!(" (driver {it})"));
                let _ = writeln!(
                    text,
                    "-      {}{}{}: this program is not built for it; {BUILD}",
                    gpu.name,
                    driver.unwrap_or_default(),
                    in_gib(gpu.memory)
                );
            }
        }
    }
    let built: Vec<&str> = BUILT.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let _ = writeln!(text, "built for {}", built.join(", "));
    let _ = match candidates.len() {
        1 => writeln!(text, "--device auto takes the cpu"),
        _ => writeln!(
            text,
            "--device auto tries a training for a moment on {}, and takes the fastest; for all else it \
             takes the cpu",
            candidates.join(", ")
        ),
    };
    text
}

fn in_gib(memory: Option<u64>) -> String {
    let gib = |bytes| format!(", {:.1} GiB of memory", bytes as f64 / f64::from(1 << 30));
    memory.map_or(String::new(), gib)
}

/// What Linux tells.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::super::Present;
    use super::super::gpu::{Gpu, Handle};
    use super::*;

    fn lines(others: &Others) -> Vec<String> {
        in_text(others, &Known::default(), false).lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_program_for_the_cpu_lists_what_it_is_not_built_for() {
        let gpu = Present {
            name: "AMD GPU 0x744c".into(),
            driver: Some("amdgpu".into()),
            memory: Some(24 << 30),
        };
        let said = lines(&Others::NotBuilt(vec![gpu]));
        assert!(said[0].starts_with(&format!("cpu    {}", cpu_name())), "{said:?}");
        assert_eq!(
            said[1],
            format!(
                "-      AMD GPU 0x744c (driver amdgpu), 24.0 GiB of memory: this program is not built \
                 for it; {BUILD}"
            )
        );
        assert_eq!(said[3..], ["--device auto takes the cpu"]);
    }

    #[test]
    fn devices_are_listed_with_what_was_measured() {
        let gpu = |name: &str, kind| {
            let handle = Handle::Test(Err("a name is all there is".into()));
            Gpu::new(name.into(), "Vulkan, mesa".into(), "22.3".into(), kind, handle)
        };
        let gpus = vec![gpu("Voodoo2", Kind::Discrete), gpu("llvmpipe", Kind::Software)];
        let mut known = Known::default();
        known.insert(
            &[cpu_identity(), gpus[0].identity()],
            &[12_300.4, 26_400.0],
            "conv, code 32, 1x28x28, batch 128",
            "key",
            1000,
        );
        let text = in_text(&Others::Gpus(gpus), &known, false);
        let said: Vec<&str> = text.lines().collect();
        let measured = "measured: 12,300 samples/s of conv, code 32, 1x28x28, batch 128";
        assert_eq!(said[1].trim(), measured);
        assert_eq!(said[2], "gpu:0  Voodoo2 (GPU, Vulkan, mesa), driver 22.3");
        assert_eq!(said[3].trim(), measured.replace("12,300", "26,400"));
        assert_eq!(said[4], "gpu:1  llvmpipe (software, slow, Vulkan, mesa), driver 22.3");
        assert!(said[5].starts_with("built for ") && said[5].ends_with("the CPU"), "{said:?}");
        assert_eq!(
            said[6],
            "--device auto tries a training for a moment on cpu, gpu:0, and takes the fastest; for all \
             else it takes the cpu"
        );
        assert_eq!(said.len(), 7);
    }
}
