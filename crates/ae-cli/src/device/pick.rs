//! Which device a wish means, of those that there are.

use super::{BUILD, Gpu, Kind, Others, Wanted, cpu_name};
use crate::error::{Error, Result};

/// What is to be taken, and why.
pub enum Pick {
    Cpu(String),
    Gpu(Box<Gpu>, String),
    /// What is faster, of the CPU and these.
    Fastest(Vec<Gpu>),
}

pub fn choose(wanted: &Wanted, others: Others, software_counts: bool) -> Result<Pick> {
    let cpu = cpu_name();
    let gpus = match (wanted, others) {
        (Wanted::Cpu, _) => return Ok(Pick::Cpu(format!("CPU: {cpu}, as asked"))),
        (_, Others::Gpus(gpus)) => gpus,
        (Wanted::Auto, Others::NotBuilt(present)) => {
            let why = match &present[..] {
                [] => "the only device that this program is built for".to_owned(),
                [gpu, ..] => format!("since this program is not built for {}: {BUILD}", gpu.name),
            };
            return Ok(Pick::Cpu(format!("CPU: {cpu}, {why}")));
        }
        (_, Others::NotBuilt(_)) => {
            return Err(Error::usage(format!(
                "--device {wanted}: this program is built for the CPU only; for a GPU as well: {BUILD}"
            )));
        }
    };
    let is_real = |gpu: &&Gpu| gpu.kind != Kind::Software || software_counts;
    let real: Vec<Gpu> = gpus.iter().filter(is_real).cloned().collect();
    let none = || match gpus.first() {
        None => "no GPU driver answers".to_owned(),
        Some(software) => format!("there is no real GPU, only {} (software)", software.name),
    };
    let asked =
        |gpu: &Gpu| Pick::Gpu(Box::new(gpu.clone()), format!("GPU: {}, as asked", gpu.title()));
    match wanted {
        Wanted::Cpu => unreachable!("taken above"),
        Wanted::Auto if real.is_empty() => Ok(Pick::Cpu(format!("CPU: {cpu}, since {}", none()))),
        Wanted::Auto => Ok(Pick::Fastest(real)),
        Wanted::Gpu => real.first().map(asked).ok_or_else(|| {
            Error::usage(format!(
                "--device gpu: {}; `ae devices` lists what there is, --device cpu always works",
                none()
            ))
        }),
        Wanted::Number(number) => match gpus.get(*number) {
            Some(gpu) => {
                let why = format!("GPU {number}: {}, as asked", gpu.title());
                Ok(Pick::Gpu(Box::new(gpu.clone()), why))
            }
            None => Err(Error::usage(format!(
                "--device gpu:{number}: expected a number below {}, as `ae devices` shows",
                gpus.len()
            ))),
        },
        Wanted::Named(name) => {
            let has_name = |gpu: &&Gpu| gpu.name.to_lowercase().contains(&name.to_lowercase());
            match gpus.iter().filter(has_name).collect::<Vec<_>>()[..] {
                [gpu] => Ok(asked(gpu)),
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

#[cfg(test)]
mod tests {
    use super::super::Present;
    use super::super::gpu::Handle;
    use super::*;

    fn gpu(name: &str, kind: Kind) -> Gpu {
        let handle = Handle::Test(Err("a name is all there is".into()));
        Gpu::new(name.into(), "Vulkan".into(), "1.2".into(), kind, handle)
    }

    fn refused(wanted: &Wanted, others: Others) -> String {
        choose(wanted, others, false).err().unwrap().to_string()
    }

    fn takes_cpu(others: Others) -> String {
        match choose(&Wanted::Auto, others, false).unwrap() {
            Pick::Cpu(why) => why,
            Pick::Gpu(..) | Pick::Fastest(_) => panic!("no GPU is to be taken"),
        }
    }

    #[test]
    fn a_machine_without_a_gpu_takes_the_cpu_and_says_why() {
        let none = || Others::Gpus(Vec::new());
        let why = takes_cpu(none());
        assert!(why.starts_with("CPU: ") && why.ends_with("since no GPU driver answers"), "{why}");
        assert_eq!(
            refused(&Wanted::Gpu, none()),
            "--device gpu: no GPU driver answers; `ae devices` lists what there is, --device cpu \
             always works"
        );
        assert_eq!(
            refused(&Wanted::Number(1), none()),
            "--device gpu:1: expected a number below 0, as `ae devices` shows"
        );
    }

    #[test]
    fn a_software_driver_counts_as_a_gpu_only_if_that_is_forced() {
        let software = || Others::Gpus(vec![gpu("llvmpipe", Kind::Software)]);
        let why = takes_cpu(software());
        assert!(why.ends_with("since there is no real GPU, only llvmpipe (software)"), "{why}");
        let forced = |wanted| choose(wanted, software(), true).unwrap();
        assert!(matches!(forced(&Wanted::Auto), Pick::Fastest(gpus) if gpus.len() == 1));
        assert!(matches!(forced(&Wanted::Gpu), Pick::Gpu(gpu, _) if gpu.name == "llvmpipe"));
        // By its number or name it is taken in any case.
        let pick = choose(&Wanted::Number(0), software(), false).unwrap();
        assert!(matches!(pick, Pick::Gpu(..)));
    }

    #[test]
    fn real_gpus_are_left_to_measurement_and_the_best_is_taken_if_a_gpu_is_asked_for() {
        let all = || {
            let software = gpu("llvmpipe", Kind::Software);
            Others::Gpus(vec![
                gpu("Voodoo2", Kind::Discrete),
                gpu("i740", Kind::Integrated),
                software,
            ])
        };
        let Pick::Fastest(gpus) = choose(&Wanted::Auto, all(), false).unwrap() else { panic!() };
        let names: Vec<&str> = gpus.iter().map(|gpu| gpu.name.as_str()).collect();
        assert_eq!(names, ["Voodoo2", "i740"]);
        let Pick::Gpu(_, why) = choose(&Wanted::Gpu, all(), false).unwrap() else { panic!() };
        assert_eq!(why, "GPU: Voodoo2 (GPU, Vulkan), as asked");
    }

    #[test]
    fn a_program_for_the_cpu_tells_of_gpus_and_how_it_is_built_for_them() {
        let gpu = Present { name: "NVIDIA H200".into(), driver: None, memory: None };
        let why = takes_cpu(Others::NotBuilt(vec![gpu.clone()]));
        let end = format!("since this program is not built for NVIDIA H200: {BUILD}");
        assert!(why.starts_with("CPU: ") && why.ends_with(&end), "{why}");
        let why = takes_cpu(Others::NotBuilt(Vec::new()));
        assert!(why.ends_with("the only device that this program is built for"), "{why}");
        for wanted in [Wanted::Gpu, Wanted::Number(0), Wanted::Named("H200".into())] {
            for present in [vec![gpu.clone()], Vec::new()] {
                let expected = format!(
                    "--device {wanted}: this program is built for the CPU only; for a GPU as well: \
                     cargo run --release --features gpu, or cargo install --path crates/ae-cli \
                     --features gpu"
                );
                assert_eq!(refused(&wanted, Others::NotBuilt(present)), expected);
            }
        }
    }
}
