//! `AE_MAX_ISA`, which a process reads once, so each value is tested in a new process.
#![cfg(feature = "flex")]

use std::process::{Command, Output};

use ae_kernels::{Activation, Weight, isa, linear};
use burn::tensor::{Device, Tensor, TensorData};

/// Run as a child process: computes a product, which is the same for every instruction set, and prints the instruction
/// set and a sum.
#[test]
#[ignore = "the other tests run it in new processes"]
fn child() {
    let numbers = |rows: usize, columns: usize| {
        let values = (0..rows * columns).map(|index| (index % 7) as f32 - 3.0);
        let data = TensorData::new(values.collect::<Vec<_>>(), [rows, columns]);
        Tensor::<2>::from_data(data, &Device::flex())
    };
    let bias = Tensor::<1>::zeros([33], &Device::flex());
    let weight = Weight::Plain(numbers(50, 33));
    let output = linear(numbers(70, 50), weight, bias, Activation::Identity);
    // Integers, so that no order of the terms rounds.
    let sum: f32 = output.into_data().iter::<f32>().map(f32::abs).sum();
    println!("{} {sum}", isa().map_or_else(|message| message, str::to_owned));
}

fn run(limit: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--include-ignored", "--nocapture"]);
    match limit {
        Some(limit) => command.env("AE_MAX_ISA", limit),
        None => command.env_remove("AE_MAX_ISA"),
    };
    command.output().unwrap()
}

/// What the child printed: the instruction set, or an error, and the sum.
fn answer(output: &Output) -> (String, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let line = lines.into_iter().find(|(_, sum)| sum.parse::<f32>().is_ok()).expect(&text);
    // The test harness prints the start of the line.
    (line.0.rsplit("... ").next().unwrap().to_owned(), line.1.to_owned())
}

#[test]
fn ae_max_isa_limits_the_instruction_set_and_keeps_results() {
    let (most, sum) = answer(&run(None));
    let names = ["scalar", "avx2", "avx512", "neon"];
    assert!(names.contains(&&*most), "{most}");
    for limit in if cfg!(target_arch = "x86_64") { &names[..3] } else { &names[..1] } {
        let (used, limited_sum) = answer(&run(Some(limit)));
        let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
        assert_eq!(at(&used), at(limit).min(at(&most)), "{limit}: {used}");
        assert_eq!(limited_sum, sum, "{limit}");
    }
}

#[test]
fn an_invalid_ae_max_isa_is_reported_once_and_ignored() {
    let output = run(Some("avx1"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let message = "AE_MAX_ISA: expected one of scalar";
    assert_eq!(errors.matches(message).count(), 1, "{errors}");
    let (error, sum) = answer(&output);
    assert!(error.starts_with(message) && error.ends_with("got `avx1`"), "{error}");
    assert_eq!(sum, answer(&run(None)).1);
}
