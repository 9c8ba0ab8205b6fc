//! A side of the comparison: a process that takes steps when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{JoinHandle, spawn};

/// What a side did in a turn.
pub struct Turn {
    pub steps_per_second: f64,
    pub peak_bytes: u64,
}

/// What a side says of itself when it is warm.
#[derive(Clone)]
pub struct Ready {
    /// `torch-2.0.0`
    pub version: String,
    pub parameters: usize,
    /// Memory in use before there was a net: libraries and data.
    pub bytes_before: u64,
}

pub struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
}

impl Process {
    /// Does not wait for it.
    pub fn start(mut command: Command) -> Result<Self, String> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let (orders, answers, complaints) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let complaints = complaints.map(|mut pipe| {
            spawn(move || {
                let mut bytes = Vec::new();
                let _ = pipe.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        let answers = BufReader::new(answers.expect("standard output is a pipe"));
        Ok(Self { child, orders, answers, complaints })
    }

    pub fn ready(&mut self) -> Result<Ready, String> {
        let line = self.line()?;
        let mut words = line.split_whitespace().skip(1);
        let mut next = || words.next().unwrap_or_default();
        let version = next().to_owned();
        match (line.starts_with("ready "), next().parse(), next().parse()) {
            (true, Ok(parameters), Ok(bytes_before)) => {
                Ok(Ready { version, parameters, bytes_before })
            }
            _ => Err(format!("expected `ready`, got `{}`", line.trim())),
        }
    }

    pub fn turn(&mut self, seconds: f64) -> Result<Turn, String> {
        let order = format!("{seconds}\n");
        let orders = self.orders.as_mut().expect("open as long as it runs");
        // If nobody reads it, nobody answers either, and that says why.
        let _ = orders.write_all(order.as_bytes()).and_then(|()| orders.flush());
        let line = self.line()?;
        let numbers: Vec<f64> =
            line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        match numbers[..] {
            [steps, seconds, peak_bytes] => {
                Ok(Turn { steps_per_second: steps / seconds, peak_bytes: peak_bytes as u64 })
            }
            _ => Err(format!("expected three numbers, got `{}`", line.trim())),
        }
    }

    /// The next line; where it ended instead, the last thing it had to complain of.
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) | Err(_) => {
                let text = self.complaints.take().and_then(|thread| thread.join().ok());
                let text = text.unwrap_or_default();
                let last = text.lines().rfind(|line| !line.trim().is_empty());
                Err(last.unwrap_or("it ended without a word").trim().to_owned())
            }
            Ok(_) => Ok(line),
        }
    }
}

/// It ends when its input does.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}
