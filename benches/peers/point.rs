//! A net with a batch size, measured on all sides in turn.

use crate::Result;
use crate::case::{Case, operations_of_product};
use crate::options::{Options, PEERS};
use crate::process::{Process, Ready};
use crate::quiet::undisturbed;

/// The square product on one side, which takes its turns beside every net.
pub struct Product {
    pub side: &'static str,
    process: Process,
}

impl Product {
    /// On each side that has one.
    pub fn start(options: &Options) -> Vec<Self> {
        let mut products = Vec::new();
        for side in ["ours", "eager", "jax"] {
            let asked = match side {
                "eager" => options.sides.iter().any(|side| !["ours", "jax"].contains(side)),
                side => options.sides.contains(&side),
            };
            if !asked {
                continue;
            }
            let started = Process::start(options.command(side, "product", options.product));
            match started.and_then(|mut process| process.ready().map(|_| process)) {
                Ok(process) => products.push(Self { side, process }),
                Err(reason) => eprintln!("product on the side {side}: {reason}"),
            }
        }
        products
    }
}

/// What a side did in all rounds.
pub struct Side {
    pub name: &'static str,
    pub ready: Ready,
    /// Of each round.
    pub samples_per_second: Vec<f64>,
    pub peak_bytes: u64,
}

pub struct Point {
    pub case: Case,
    pub batch: usize,
    /// Ours first.
    pub sides: Vec<Side>,
    /// Operations per second of the square product in each round, by side.
    pub products: Vec<(&'static str, Vec<f64>)>,
    /// Shares of the pauses in which the machine was idle.
    pub idle: Vec<f64>,
    /// Sides that are not there, and why.
    pub absent: Vec<(&'static str, String)>,
}

impl Point {
    pub fn measure(
        case: Case,
        batch: usize,
        products: &mut [Product],
        options: &Options,
    ) -> Result<Self> {
        let mut point = Self {
            case,
            batch,
            sides: Vec::new(),
            products: products.iter().map(|product| (product.side, Vec::new())).collect(),
            idle: Vec::new(),
            absent: Vec::new(),
        };
        let mut processes = point.start(options)?;
        for round in 0..options.rounds {
            // Whoever begins in this round is second in the next.
            let turns = point.sides.len() + products.len();
            let mut failed = Vec::new();
            for at in (0..turns).map(|at| (at + turns - round % turns) % turns) {
                if let Some(product) = at.checked_sub(point.sides.len()) {
                    let process = &mut products[product].process;
                    let (turn, idle) =
                        undisturbed(options.is_on_gpu(), || process.turn(options.seconds / 4.0))?;
                    point.idle.extend(idle);
                    let operations = operations_of_product(options.product);
                    point.products[product].1.push(turn.steps_per_second * operations);
                    continue;
                }
                let side = &mut point.sides[at];
                let process = &mut processes[at];
                match undisturbed(options.is_on_gpu(), || process.turn(options.seconds)) {
                    Ok((turn, idle)) => {
                        point.idle.extend(idle);
                        side.samples_per_second.push(turn.steps_per_second * batch as f64);
                        side.peak_bytes = turn.peak_bytes;
                    }
                    Err(reason) if PEERS.contains(&side.name) => {
                        point.absent.push((side.name, reason));
                        failed.push(at);
                    }
                    Err(reason) => return Err(reason.into()),
                }
            }
            for at in failed.into_iter().rev() {
                point.sides.remove(at);
                processes.remove(at);
            }
        }
        Ok(point)
    }

    /// All of them at once, since it is not measured; those that do not get ready are left out.
    fn start(&mut self, options: &Options) -> Result<Vec<Process>> {
        let name = self.case.name;
        let started = options
            .sides
            .iter()
            .map(|side| (*side, Process::start(options.command(side, name, self.batch))));
        let started: Vec<_> = started.collect();
        let mut processes = Vec::new();
        for (side, process) in started {
            let ready = process.and_then(|mut process| {
                let ready = process.ready()?;
                match self.sides.first().map(|ours| ours.ready.parameters) {
                    Some(ours) if ours != ready.parameters => {
                        let got = ready.parameters;
                        Err(format!("expected {ours} parameters, as ours has, got {got}"))
                    }
                    _ => Ok((process, ready)),
                }
            });
            match ready {
                Ok((process, ready)) => {
                    processes.push(process);
                    let (samples_per_second, peak_bytes) = (Vec::new(), 0);
                    self.sides.push(Side { name: side, ready, samples_per_second, peak_bytes });
                }
                Err(reason) if PEERS.contains(&side) => self.absent.push((side, reason)),
                Err(reason) => return Err(format!("our side: {reason}").into()),
            }
        }
        Ok(processes)
    }

    pub fn ours(&self) -> &Side {
        &self.sides[0]
    }

    pub fn side(&self, name: &str) -> Option<&Side> {
        self.sides.iter().find(|side| side.name == name)
    }
}
