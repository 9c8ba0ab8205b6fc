//! Checks that a training fits into memory before it allocates any. On a CPU, running out of memory ends the
//! process without an error message.

use ae_data::Shape;
use ae_device::Choice;
use ae_models::{Architecture, ConvConfig};
use ae_recipe::{Command, ModelRecipe, ObjectiveRecipe, Recipe};
use ae_train::{JacobianMethod, Optimizer, Schedule};

use crate::{Error, Result};

/// A lower bound of the memory for one part of a training.
#[derive(Clone, Debug, PartialEq)]
struct Need {
    /// The part.
    what: &'static str,
    /// The settings that reduce it.
    reduce: &'static str,
    bytes: u128,
}

/// Checks that the memory that a training needs is free.
pub(crate) fn check(recipe: &Recipe, shape: &Shape, samples: usize, choice: &Choice) -> Result<()> {
    if let ModelRecipe::Pca(_) = recipe.model {
        return Ok(());
    }
    let architecture = recipe.model.architecture(shape)?;
    architecture.check()?;
    // The memory of a GPU is not known here.
    let is_on_cpu = ae_kernels::uses_threads(&choice.provisional().handle);
    let available = if is_on_cpu { free::bytes() } else { None }.unwrap_or(UNKNOWN);
    fits(&needs(recipe, &architecture, samples), available)
}

/// The limit where the free memory is unknown: more than any machine has.
const UNKNOWN: u64 = 1 << 40;

fn fits(needs: &[Need], available: u64) -> Result<()> {
    let whole: u128 = needs.iter().map(|need| need.bytes).sum();
    if whole <= u128::from(available) {
        return Ok(());
    }
    let most = needs.iter().max_by_key(|need| need.bytes);
    let (what, reduce) = most.map_or(("", ""), |need| (need.what, need.reduce));
    Err(Error::usage(format!(
        "this training needs at least {} of memory, mostly for {what}, and {} are free; use {reduce}",
        gigabytes(whole),
        gigabytes(available.into())
    )))
}

fn gigabytes(bytes: u128) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Bytes of an f32.
const NUMBER: u128 = 4;

fn needs(recipe: &Recipe, architecture: &Architecture, samples: usize) -> Vec<Need> {
    let schedule = recipe.schedule();
    let objective = recipe.objective();
    let parameters = architecture.num_params().unwrap_or(usize::MAX) as u128;
    let batch = schedule.batch.min(samples) as u128;
    let features = architecture.features() as u128;
    let copies = match recipe.command {
        // Layers are trained one by one.
        Command::Pretrain => 1,
        _ => copies(&schedule),
    };
    let (probes, draws) = directions(&objective);
    let draw = match probes {
        0 => (batch * features).min(parameters),
        probes => probes * batch * features,
    };
    let need = |what, reduce, numbers: u128| Need { what, reduce, bytes: NUMBER * numbers };
    let mut needs = vec![
        need(
            "the model and its optimiser",
            "fewer units (--hidden, --code) or channels (--channels)",
            parameters * copies,
        ),
        need("a batch", "a smaller --batch", batch * units(architecture)),
    ];
    if objective.penalty("contraction").is_some_and(|it| it.weight != 0.0) {
        let reduce = "fewer probes (--jacobian probes:N)";
        needs.push(need("probes of the Jacobian", reduce, probes * batch * features));
    }
    if objective.penalty("curvature").is_some_and(|it| it.weight != 0.0) {
        let reduce = "fewer draws (--curvature-draws) or probes (--jacobian probes:N)";
        needs.push(need("draws of the curvature's noise", reduce, draws * draw));
    }
    needs
}

/// The number of values per parameter: the parameter, its gradient, and the optimiser's state.
fn copies(schedule: &Schedule) -> u128 {
    match schedule.optimizer {
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } => 4,
        Optimizer::Sgd { .. } => 2,
        Optimizer::RmsProp { .. } => 3,
    }
}

/// The numbers of probes per sample (0 for the exact norm) and of draws of the curvature's noise.
fn directions(objective: &ObjectiveRecipe) -> (u128, u128) {
    let probes = match objective.jacobian {
        Some(JacobianMethod::Probes(count)) => count as u128,
        Some(JacobianMethod::Exact) | None => 0,
    };
    let curvature = objective.penalty("curvature");
    (probes, curvature.and_then(|it| it.setting("draws")).map_or(0, |draws| draws as u128))
}

/// The size of a sample's activations in a step: the input and the outputs of all layers. Those of the decoder have
/// the sizes of the encoder's.
fn units(architecture: &Architecture) -> u128 {
    match architecture {
        Architecture::Dense(config) => 2 * config.widths.iter().map(|it| *it as u128).sum::<u128>(),
        Architecture::Conv(config) => 2 * maps(config),
        Architecture::Pca(config) => 2 * (config.features + config.components) as u128,
        Architecture::Stack { layers } => layers.iter().map(units).sum(),
    }
}

fn maps(config: &ConvConfig) -> u128 {
    let [channels, mut height, mut width] = config.input.map(|side| side as u128);
    let mut all = channels * height * width;
    for channels in &config.channels {
        (height, width) = (height.div_ceil(2), width.div_ceil(2));
        all += *channels as u128 * height * width;
    }
    all + config.hidden.iter().chain(&config.code).map(|it| *it as u128).sum::<u128>()
}

/// The free memory: the least of that of the machine, the container and the process.
mod free {
    use std::fs::read_to_string;

    /// In bytes; `None` where it is unknown.
    pub fn bytes() -> Option<u64> {
        let read = |path: &str| read_to_string(path).ok();
        let machine = read("/proc/meminfo").and_then(|text| machine(&text));
        let container = read("/sys/fs/cgroup/memory.max").and_then(|most| {
            container(&most, &read("/sys/fs/cgroup/memory.stat").unwrap_or_default())
        });
        let process = read("/proc/self/limits")
            .and_then(|limits| process(&limits, &read("/proc/self/status").unwrap_or_default()));
        [machine, container, process].into_iter().flatten().min()
    }

    /// The number after a name at the start of a line.
    fn number(text: &str, name: &str) -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }

    pub(super) fn machine(meminfo: &str) -> Option<u64> {
        let swap = number(meminfo, "SwapFree:").unwrap_or(0);
        Some((number(meminfo, "MemAvailable:")? + swap) * 1024)
    }

    /// Memory that caches files counts as free.
    pub(super) fn container(most: &str, stat: &str) -> Option<u64> {
        let most: u64 = most.trim().parse().ok()?;
        Some(most.saturating_sub(number(stat, "anon ").unwrap_or(0)))
    }

    pub(super) fn process(limits: &str, status: &str) -> Option<u64> {
        let most = number(limits, "Max address space")?;
        Some(most.saturating_sub(1024 * number(status, "VmSize:").unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Table;

    fn needed(given: &str) -> Vec<u128> {
        let given: Table = given.parse().unwrap();
        let (data, shape) = (Recipe::data(&given).unwrap(), Shape::image(1, 28, 28));
        let recipe = Recipe::complete(&given, data, &shape, 1000, Command::Train).unwrap();
        let architecture = recipe.model.architecture(&shape).unwrap();
        needs(&recipe, &architecture, 1000).into_iter().map(|need| need.bytes).collect()
    }

    /// 784 x 10 weights there and back and biases of 10 and 784: 16,474 parameters, of Adam four numbers each,
    /// of four bytes. 2 x 794 numbers a sample.
    #[test]
    fn needs_by_hand() {
        let dense = "[model]\nkind = 'dense'\nhidden = []\ncode = 10\n[schedule]\nbatch = 50\n";
        let (model, batch) = (16_474 * 4 * 4, 50 * 2 * 794 * 4);
        assert_eq!(needed(dense), [model, batch]);
        let terms = "[objective]\ncontraction = { weight = 1.0 }\n\
                     curvature = { weight = 1.0, draws = 7 }\njacobian = ";
        let directions = 3 * 50 * 784 * 4;
        assert_eq!(
            needed(&format!("{dense}{terms}{{ probes = 3 }}")),
            [model, batch, directions, 7 * directions]
        );
        assert_eq!(needed(&format!("{dense}{terms}'exact'")), [model, batch, 0, 7 * 16_474 * 4]);
        // 28 x 28, 2 maps of 14 x 14, 3 of 7 x 7 and a code of 5.
        let conv = "[model]\nchannels = [2, 3]\ncode = 5\n[schedule]\nbatch = 2";
        assert_eq!(needed(conv)[1], 2 * 2 * (784 + 392 + 147 + 5) * 4);
    }

    #[test]
    fn too_little_memory_is_an_error_with_a_remedy() {
        let need = |what, reduce, bytes| Need { what, reduce, bytes };
        let needs = [need("a", "less a", 2_000_000_000), need("b", "less b", 3_000_000_000)];
        fits(&needs, 5_000_000_000).unwrap();
        assert_eq!(
            fits(&needs, 4_400_000_000).unwrap_err().to_string(),
            "this training needs at least 5.0 GB of memory, mostly for b, and 4.4 GB are free; use less b"
        );
    }

    #[test]
    fn free_memory_is_parsed() {
        let meminfo = "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:   50 kB\nSwapFree: 2 kB\n";
        assert_eq!(free::machine(meminfo), Some(52 * 1024));
        assert_eq!(free::container("max\n", "anon 3\n"), None);
        assert_eq!(free::container("1000\n", "anon 300\nfile 500\n"), Some(700));
        let limits = "Limit    Soft Limit   Hard Limit  Units\n\
                      Max address space         4096000              unlimited   bytes\n";
        assert_eq!(free::process(limits, "VmSize:\t 1000 kB\n"), Some(4_096_000 - 1_024_000));
        assert_eq!(free::process("Max address space   unlimited  unlimited bytes", ""), None);
    }
}
