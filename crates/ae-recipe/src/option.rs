//! The settings of recipes as options of a command line, each declared once, next to what it sets.

use std::borrow::Cow;

use toml::{Table, Value};

/// A setting of a recipe as an option of a command line. A program makes its options from these rows, as `ae` does.
#[derive(Clone, Debug)]
pub struct RecipeOption {
    /// Its name, without dashes.
    pub long: &'static str,
    /// Its one-letter form.
    pub short: Option<char>,
    /// Visible aliases.
    pub aliases: &'static [&'static str],
    /// Names of earlier versions: hidden aliases.
    pub old: &'static [&'static str],
    /// What its value is called in a help text; a flag has none.
    pub value: &'static str,
    /// The group of options in a help text.
    pub group: &'static str,
    /// Its help.
    pub help: Cow<'static, str>,
    /// The keys from the root of the recipe to the setting.
    pub path: Vec<&'static str>,
    /// The setting that takes the second of two values.
    pub second: Option<[&'static str; 2]>,
    /// Options that it cannot be combined with.
    pub conflicts: &'static [&'static str],
    /// The option that it needs.
    pub requires: Option<&'static str>,
    /// Whether its value may begin with a hyphen.
    pub allows_hyphen: bool,
    /// How its value is parsed.
    pub parse: Parse,
}

/// How the value of an option is parsed.
#[derive(Clone, Copy, Debug)]
pub enum Parse {
    /// A text.
    Text,
    /// A path.
    Path,
    /// Texts with commas between them.
    Texts,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A number.
    Number,
    /// A whole number from 0.
    Count,
    /// Whole numbers from 0 with commas between them.
    Counts,
    /// True or false.
    Bool,
    /// No value: the setting becomes true.
    Flag,
    /// By a function.
    By(fn(&str) -> Result<Value, String>),
}

impl Parse {
    /// The value of a recipe.
    ///
    /// # Errors
    /// What was expected.
    pub fn value(self, text: &str) -> Result<Value, String> {
        let count = |text: &str| match text.trim().parse() {
            Ok(count @ 0i64..) => Ok(Value::Integer(count)),
            _ => Err("expected a whole number from 0".to_owned()),
        };
        match self {
            Self::Path if text.is_empty() => Err("expected a path".into()),
            Self::Text | Self::Path => Ok(text.into()),
            Self::Texts => Ok(Value::Array(text.split(',').map(Value::from).collect())),
            Self::OneOf(values) if values.contains(&text) => Ok(text.into()),
            Self::OneOf(values) => Err(format!("expected {}", any_of(values))),
            Self::Number => match text.parse() {
                Ok(number) => Ok(Value::Float(number)),
                Err(_) => Err("expected a number".into()),
            },
            Self::Count => count(text),
            Self::Counts => text.split(',').map(count).collect::<Result<_, _>>().map(Value::Array),
            Self::Bool => match text.parse() {
                Ok(value) => Ok(Value::Boolean(value)),
                Err(_) => Err("expected true or false".into()),
            },
            Self::Flag => Ok(Value::Boolean(true)),
            Self::By(parse) => parse(text),
        }
    }
}

/// `a, b or c`
fn any_of(values: &[&str]) -> String {
    match values {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => values.join(", "),
    }
}

/// An option of a setting: its name, what its value is called, the setting and the help.
pub(crate) fn option(
    long: &'static str,
    value: &'static str,
    path: &[&'static str],
    parse: Parse,
    help: impl Into<Cow<'static, str>>,
) -> RecipeOption {
    RecipeOption {
        long,
        short: None,
        aliases: &[],
        old: &[],
        value,
        group: "",
        help: help.into(),
        path: path.to_vec(),
        second: None,
        conflicts: &[],
        requires: None,
        allows_hyphen: false,
        parse,
    }
}

/// The options in a group.
pub(crate) fn group(name: &'static str, options: Vec<RecipeOption>) -> Vec<RecipeOption> {
    options.into_iter().map(|option| RecipeOption { group: name, ..option }).collect()
}

impl RecipeOption {
    pub(crate) fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    pub(crate) fn old(self, old: &'static [&'static str]) -> Self {
        Self { old, ..self }
    }

    pub(crate) fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Puts a value into an incomplete recipe.
    pub fn put(&self, recipe: &mut Table, value: Value) {
        match (self.second, value) {
            (Some(second), Value::Array(pair)) => {
                let [first, other]: [Value; 2] = match pair.try_into() {
                    Ok(pair) => pair,
                    Err(_) => return,
                };
                insert(recipe, &self.path, first);
                insert(recipe, &second, other);
            }
            (_, value) => insert(recipe, &self.path, value),
        }
    }
}

fn insert(table: &mut Table, path: &[&str], value: Value) {
    let [section @ .., key] = path else { return };
    let table = section.iter().try_fold(table, |table, key| {
        table.entry(*key).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
    });
    if let Some(table) = table {
        table.insert((*key).to_owned(), value);
    }
}

/// Options of the data section, for a command on the data of a run or other data.
pub fn data_options(default: &str) -> Vec<RecipeOption> {
    let source = crate::data::source_option(default);
    [group("Data", vec![source]), crate::data::options()].concat()
}

/// Options of `ae train`.
pub fn train_options() -> Vec<RecipeOption> {
    let epochs = crate::schedule::epochs_option(
        "10, more for small data: at least 1000 steps, for tables 5000 in at most 300 epochs",
    );
    let common = vec![crate::data::source_option("digits"), crate::model::code_option(), epochs];
    [
        group("Common options", common),
        crate::data::options(),
        crate::data::preparation_options(),
        crate::model::options(),
        crate::objective::options(),
        crate::schedule::options(),
    ]
    .concat()
}

/// Options of `ae finetune`.
pub fn finetune_options() -> Vec<RecipeOption> {
    [
        crate::head::options(),
        group("Head", vec![crate::head::counts_option()]),
        data_options("digits, or the data of the run"),
        crate::objective::options(),
        group("Training", vec![crate::schedule::epochs_option("that of the run")]),
        crate::schedule::options(),
    ]
    .concat()
}

/// Options of `ae classify`.
pub fn classify_options() -> Vec<RecipeOption> {
    let epochs = "10, more for small data: at least 1000 steps";
    [
        data_options("digits, or the data of the run"),
        crate::head::options(),
        group("Training", vec![crate::schedule::epochs_option(epochs)]),
        crate::schedule::options(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parsed_and_put_at_their_path() {
        let options = train_options();
        let find = |long: &str| options.iter().find(|option| option.long == long).unwrap();
        let mut recipe = Table::new();
        for (long, text) in
            [("lr", "0.1"), ("channels", "8,16"), ("samples", "20,5"), ("kl-target", "0.1")]
        {
            let option = find(long);
            option.put(&mut recipe, option.parse.value(text).unwrap());
        }
        let expected: Table = "[schedule.rate]\npeak = 0.1\n[model]\nchannels = [8, 16]\n\
                               [data]\ntraining_samples = 20\ntest_samples = 5\n\
                               [objective.kl]\ntarget = 0.1"
            .parse()
            .unwrap();
        assert_eq!(recipe, expected);
        assert_eq!(
            find("missing").parse.value("x"),
            Err("expected mean, masked, drop or refuse".into())
        );
    }
}
