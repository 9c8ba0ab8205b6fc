//! Measurements in processes of their own, so that none inherits another's memory.

#![allow(dead_code, reason = "each benchmark takes of it what it needs")]

use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What follows `--child`, in a process that [`child`] started.
pub fn task() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--child");
    arguments.next().map(|_| arguments.collect())
}

/// This program again, on a task of its own.
pub fn child(task: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--child").args(task);
    Ok(command)
}

/// The numbers that a child printed.
pub fn numbers(mut child: Command) -> Result<Vec<f64>> {
    let output = child.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{child:?}: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}
