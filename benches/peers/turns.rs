//! Steps for as long as somebody on the other side of a pipe wants: what `peers.py` does too.

use std::io::stdin;
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::train::Flow;

use crate::record::{peak_memory, resident_memory};

/// Steps, and seconds, before anything is measured.
const WARM_STEPS: u64 = 10;
const WARM_SECONDS: f64 = 0.5;

/// Says `ready VERSION PARAMETERS BYTES` once it is warm; for each line `SECONDS` on the input answers
/// `STEPS SECONDS PEAK_BYTES`.
pub struct Turns {
    device: Device,
    parameters: usize,
    before: u64,
    /// Steps of this turn.
    steps: u64,
    began: Instant,
    /// How long this turn is; `None` while it warms up.
    seconds: Option<f64>,
}

impl Turns {
    /// Of a model of so many parameters that is not there yet.
    pub fn new(device: &Device, parameters: usize) -> Self {
        Self {
            device: device.clone(),
            parameters,
            before: resident_memory().unwrap_or(0),
            steps: 0,
            began: Instant::now(),
            seconds: None,
        }
    }

    /// Takes note of a step; at the end of a turn waits for the next.
    pub fn step(&mut self) -> Flow {
        self.steps += 1;
        let is_over = self.began.elapsed().as_secs_f64() > self.seconds.unwrap_or(WARM_SECONDS);
        if !is_over || (self.seconds.is_none() && self.steps < WARM_STEPS) {
            return Flow::Continue;
        }
        self.device.sync().expect("a device that works");
        match self.seconds {
            None => println!("ready {} {} {}", crate::VERSION, self.parameters, self.before),
            Some(_) => {
                let seconds = self.began.elapsed().as_secs_f64();
                println!("{} {seconds} {}", self.steps, peak_memory().unwrap_or(0));
            }
        }
        let mut line = String::new();
        let read = stdin().read_line(&mut line);
        match read.ok().and_then(|_| line.trim().parse().ok()) {
            Some(seconds) => {
                (self.seconds, self.steps, self.began) = (Some(seconds), 0, Instant::now());
                Flow::Continue
            }
            None => Flow::Stop,
        }
    }
}
