//! A way to train: the runs of an arm, with all that is given of them.

use toml::{Table, Value};

use crate::recipe::Maker;

/// An arm, with all its values.
#[derive(Clone, Debug)]
pub struct Way {
    pub name: String,
    /// The arm that it is one of several of, if that varies; else its own name.
    pub family: String,
    pub steps: Vec<Step>,
    /// In place of steps.
    pub program: Option<Program>,
}

/// A program in Python that is given data, and writes a summary.
#[derive(Clone, Debug)]
pub struct Program {
    /// Of its file.
    pub name: String,
    pub text: &'static str,
    /// As a recipe has it.
    pub data: Table,
}

/// A run of an arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub command: Maker,
    /// As a recipe has it.
    pub given: Table,
}

impl Step {
    /// Whether it is trained step by step.
    pub fn is_in_epochs(&self) -> bool {
        let kind = self.given.get("model").and_then(|model| model.get("kind"));
        kind.and_then(Value::as_str) != Some("pca")
    }

    /// What is given for a seed.
    pub fn seeded(&self, seed: u64) -> Table {
        let mut given = self.given.clone();
        if self.is_in_epochs() {
            put(&mut given, "schedule.seed", i64::try_from(seed).unwrap_or(i64::MAX).into());
        }
        given
    }
}

impl Way {
    /// Everything that decides its numbers but for the seed.
    pub fn to_toml(&self) -> Table {
        let stage = |step: &Step| {
            Value::Table(Table::from_iter([
                ("name".to_owned(), step.name.clone().into()),
                ("command".to_owned(), step.command.name().into()),
                ("given".to_owned(), step.given.clone().into()),
            ]))
        };
        let stages = self.steps.iter().map(stage).collect();
        let mut all = Table::from_iter([("stage".to_owned(), Value::Array(stages))]);
        if let Some(program) = &self.program {
            all.insert("program".to_owned(), program.text.into());
            all.insert("data".to_owned(), program.data.clone().into());
        }
        all
    }

    /// What tells it from any other, whatever the order of its keys and the comments beside them; of a program
    /// its whole text.
    pub fn hash(&self) -> String {
        // As JSON, which is written in one way only; FNV-1a, the same in every version of this program.
        let text = serde_json::to_string(&self.to_toml()).unwrap_or_default();
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

/// Sets a value by its path.
pub fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                put(section, rest, value);
            }
        }
    }
}
