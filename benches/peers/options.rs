//! What the command line asks for.

use std::path::{Path, PathBuf};
use std::process::Command;

use autoencoders::burn::tensor::Device;
use autoencoders::train::Precision;

use crate::{Result, backends, case};

/// All sides but ours.
pub const PEERS: [&str; 5] = ["eager", "fused", "compile", GRAPHS, "jax"];

/// Those of PyTorch.
pub const PYTORCH: [&str; 4] = ["eager", "fused", "compile", GRAPHS];

/// Compiled, with CUDA graphs: on a GPU alone.
pub const GRAPHS: &str = "graphs";

/// The only limit that all sides know.
const AVX2: &str = "avx2";

/// What PyTorch's libraries, what it compiles, and XLA take for that limit.
const LIMITS: [(&str, &str); 4] = [
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("XLA_FLAGS", "--xla_cpu_max_isa=AVX2"),
];

pub const HELP: &str = "\
Compares a training step with PyTorch's and JAX's.

    cargo bench --bench peers -- [OPTIONS]

--cases LIST      dense-deep,dense-tied,contractive,conv,conv-deep
--batches LIST    32,128,512; on a GPU 32,128,512,1024,8192
--sides LIST      ours,eager,fused,compile,jax; on a GPU graphs besides, compiled with CUDA graphs
--rounds N        turns of each side: 7
--seconds S       length of a turn: 1
--device D        cpu or gpu
--precision P     full, f16 or bf16: ours with that precision, PyTorch with autocast, JAX not at all
--isa avx2        all sides without wider vectors than those of AVX2
--product SIDE    of the square product that is the ceiling: 2048; less where no ceiling is wanted
--python PATH     an interpreter with torch, jax and numpy: what benches/peers/install makes
--record          put the results into benches/RESULTS.md
--check           compare losses instead of times
";

pub struct Options {
    pub cases: Vec<String>,
    pub batches: Vec<usize>,
    /// Ours first.
    pub sides: Vec<&'static str>,
    pub rounds: usize,
    pub seconds: f64,
    pub device: String,
    /// The name of the GPU, or `CPU`.
    pub processor: String,
    pub precision: Precision,
    /// The instruction set that our kernels use, and whether the other sides are limited to it.
    pub isa: &'static str,
    pub is_limited: bool,
    /// The side of the square matrices whose product says what the machine can do.
    pub product: usize,
    pub python: PathBuf,
    pub is_to_record: bool,
    pub is_to_check: bool,
}

impl Options {
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            cases: case::all().iter().map(|case| case.name.to_owned()).collect(),
            batches: Vec::new(),
            sides: [&["ours"], &PEERS[..]].concat(),
            rounds: 7,
            seconds: 1.0,
            device: "cpu".to_owned(),
            processor: String::new(),
            precision: Precision::Full,
            isa: ae_kernels::isa()?,
            is_limited: false,
            product: 2048,
            python: installed_python(),
            is_to_record: false,
            is_to_check: false,
        };
        let mut are_sides_chosen = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: expected a value"));
            let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
            match argument.as_str() {
                "--cases" => options.cases = list(value()?),
                "--batches" => {
                    let batches = list(value()?).into_iter().map(|text| text.parse());
                    options.batches = batches.collect::<std::result::Result<_, _>>()?;
                }
                "--sides" => {
                    let wanted = list(value()?);
                    if let Some(side) =
                        wanted.iter().find(|side| !options.sides.contains(&&***side))
                    {
                        return Err(format!(
                            "--sides: expected some of {:?}, got {side}",
                            options.sides
                        )
                        .into());
                    }
                    let is_wanted =
                        |side: &&str| *side == "ours" || wanted.iter().any(|it| it == side);
                    options.sides.retain(is_wanted);
                    are_sides_chosen = true;
                }
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--device" => options.device = value()?,
                "--precision" => options.precision = precision(&value()?)?,
                "--isa" => {
                    let (isa, has) = (value()?, options.isa);
                    if isa != AVX2 || ![AVX2, "avx512"].contains(&has) {
                        return Err(format!(
                            "--isa: expected {AVX2} where there is that, got {isa}, and {has} here"
                        )
                        .into());
                    }
                    (options.isa, options.is_limited) = (AVX2, true);
                }
                "--product" => options.product = value()?.parse()?,
                "--python" => options.python = value()?.into(),
                "--record" => options.is_to_record = true,
                "--check" => options.is_to_check = true,
                // Cargo says so to every benchmark.
                "--bench" => {}
                _ => return Err(format!("{argument}: no such option\n\n{HELP}").into()),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds: expected at least 1, got 0".into());
        }
        let device = device(&options.device)?;
        options.processor = match options.is_on_gpu() {
            true => backends::name(&device).unwrap_or_else(|| "GPU".to_owned()),
            false => "CPU".to_owned(),
        };
        if options.is_limited && options.is_on_gpu() {
            return Err("--isa: expected --device cpu; a GPU has none of it".into());
        }
        if !options.is_on_gpu() && options.sides.contains(&GRAPHS) {
            if are_sides_chosen {
                return Err(format!("--sides: {GRAPHS} needs --device gpu").into());
            }
            options.sides.retain(|side| *side != GRAPHS);
        }
        if options.is_to_record && !options.is_on_gpu() && !options.precision.is_full() {
            return Err(
                "--record: expected full precision on a CPU; a half one is slower there".into()
            );
        }
        if options.is_to_check && options.is_limited {
            return Err("--check: expected no --isa; set AE_MAX_ISA for our side".into());
        }
        if options.is_to_check && !options.precision.is_full() {
            return Err(
                "--check: expected full precision, in which all sides compute the same".into()
            );
        }
        if options.batches.is_empty() {
            options.batches = match options.is_on_gpu() {
                true => vec![32, 128, 512, 1024, 8192],
                false => vec![32, 128, 512],
            };
        }
        Ok(options)
    }

    pub fn is_on_gpu(&self) -> bool {
        self.device == "gpu"
    }

    /// The process of a side; `size` is that of a batch, or the side of a product.
    pub fn command(&self, side: &str, case: &str, size: usize) -> Command {
        let (size, precision) = (size.to_string(), name(self.precision));
        if side == "ours" {
            let program = std::env::current_exe().expect("a program knows where it is");
            let mut command = Command::new(program);
            if self.is_limited {
                command.env("AE_MAX_ISA", self.isa);
            }
            command.args(["--ours", case, &size, &self.device, precision]);
            return command;
        }
        let mut command = self.script(side, case);
        command.args([&size, &*self.device, precision]);
        command
    }

    /// The peers' program.
    pub fn script(&self, side: &str, case: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/peers.py");
        let mut command = Command::new(&self.python);
        command.arg(script).args([side, case]);
        // Nobody is left behind who compiles, and nothing in the repository.
        command.env("TORCHINDUCTOR_COMPILE_THREADS", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        // JAX reserves three quarters of a GPU's memory at its start; two of its processes share one here.
        command.env("XLA_PYTHON_CLIENT_PREALLOCATE", "false");
        if self.is_limited {
            command.envs(LIMITS);
        }
        command
    }
}

/// Where `benches/peers/install` puts it.
fn installed_python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("peers/bin/python")
}

const PRECISIONS: [(&str, Precision); 3] =
    [("full", Precision::Full), ("f16", Precision::F16), ("bf16", Precision::Bf16)];

pub fn precision(name: &str) -> Result<Precision> {
    let known = PRECISIONS.iter().find(|(known, _)| *known == name);
    let unknown = || format!("--precision: expected full, f16 or bf16, got {name}");
    Ok(known.map(|(_, precision)| *precision).ok_or_else(unknown)?)
}

pub fn name(precision: Precision) -> &'static str {
    PRECISIONS.iter().find(|(_, known)| *known == precision).map_or("full", |(name, _)| name)
}

pub fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        "gpu" => backends::gpu().map_err(|why| format!("--device gpu: {why}").into()),
        _ => Err(format!("--device: expected cpu or gpu, got {name}").into()),
    }
}
