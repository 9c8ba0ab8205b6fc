//! An arm with all its settings resolved.

use toml::{Table, Value};

use ae_recipe::{Command, off_unless_given};

/// An arm with all its settings.
#[derive(Clone, Debug)]
pub struct ResolvedArm {
    pub name: String,
    /// The written arm: the same name, unless that arm varies a value.
    pub variant_of: String,
    pub stages: Vec<ResolvedStage>,
    /// A program that replaces the stages.
    pub program: Option<Program>,
}

/// A Python program that reads exported data and writes a summary.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its file name.
    pub name: String,
    pub text: &'static str,
    /// The data section of a recipe.
    pub data: Table,
}

/// A stage of an arm, with all its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedStage {
    pub name: String,
    pub command: Command,
    /// Recipe values over the defaults.
    pub overrides: Table,
}

impl ResolvedStage {
    /// Whether it is trained in epochs: PCA is not.
    pub fn is_in_epochs(&self) -> bool {
        let kind = self.overrides.get("model").and_then(|model| model.get("kind"));
        kind.and_then(Value::as_str) != Some("pca")
    }

    /// The recipe values with a seed.
    pub fn with_seed(&self, seed: u64) -> Table {
        let mut overrides = self.overrides.clone();
        if self.is_in_epochs() {
            put(&mut overrides, "schedule.seed", i64::try_from(seed).unwrap_or(i64::MAX).into());
        }
        // The published models have no linear path.
        if matches!(self.command, Command::Train | Command::Pretrain) {
            off_unless_given(&mut overrides);
        }
        overrides
    }
}

impl ResolvedArm {
    /// Everything that decides the results, except the seed.
    pub fn to_toml(&self) -> Table {
        let stage = |stage: &ResolvedStage| {
            Value::Table(Table::from_iter([
                ("name".to_owned(), stage.name.clone().into()),
                ("command".to_owned(), stage.command.name().into()),
                ("given".to_owned(), stage.overrides.clone().into()),
            ]))
        };
        let stages = self.stages.iter().map(stage).collect();
        let mut all = Table::from_iter([("stage".to_owned(), Value::Array(stages))]);
        if let Some(program) = &self.program {
            all.insert("program".to_owned(), program.text.into());
            all.insert("data".to_owned(), program.data.clone().into());
        }
        all
    }

    /// A hash of everything that decides the results, except the seed. Comments and the order of keys do not
    /// matter; of a program its whole text does.
    pub fn hash(&self) -> String {
        // JSON, because it has one form only. FNV-1a stays the same in every version of this program.
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
