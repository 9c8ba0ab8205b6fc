//! The settings of recipes as arguments, made from their declarations in ae-recipe.

use std::marker::PhantomData;

use ae_recipe::{Parse, RecipeOption};
use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, Error};
use toml::{Table, Value};

/// The options that set values of a recipe.
#[derive(Clone, Debug)]
pub struct RecipeArgs<G> {
    recipe: Table,
    /// The names of the options that are given.
    given: Vec<&'static str>,
    group: PhantomData<G>,
}

impl<G> Default for RecipeArgs<G> {
    fn default() -> Self {
        Self { recipe: Table::new(), given: Vec::new(), group: PhantomData }
    }
}

impl<G> RecipeArgs<G> {
    /// What was given, as an incomplete recipe.
    pub fn recipe(&self) -> Table {
        self.recipe.clone()
    }

    /// Whether an option is given.
    pub fn is_given(&self, option: &str) -> bool {
        self.given.contains(&option)
    }

    /// A section of it.
    pub fn section(&self, name: &str) -> Table {
        self.recipe.get(name).and_then(Value::as_table).cloned().unwrap_or_default()
    }
}

/// Which options there are.
pub trait Group {
    fn options() -> Vec<RecipeOption>;

    /// The sections whose values `--set` may name; none: there is no such option.
    const SECTIONS: &[&str];
}

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident $sections:expr => $options:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name;

            impl Group for $name {
                const SECTIONS: &[&str] = &$sections;

                fn options() -> Vec<RecipeOption> {
                    $options
                }
            }
        )*
    };
}

groups! {
    /// All settings of a training.
    Training ["data", "model", "objective", "schedule", "measure"] => ae_recipe::train_options();
    /// Those of fine-tuning.
    Finetuning ["data", "objective", "schedule", "head", "measure"] => ae_recipe::finetune_options();
    /// Those of a head.
    Classifying ["data", "schedule", "head"] => ae_recipe::classify_options();
    /// Those of the data.
    Data [] => ae_recipe::data_options("digits, or the data of the run");
    /// How a table is read whose missing cells are filled in.
    Tables [] => {
        let mut options = ae_recipe::table_options();
        options.retain(|option| !["missing", "unseen"].contains(&option.long));
        options
    };
}

/// Whether a repeated option adds to its values.
fn is_list(parse: Parse) -> bool {
    matches!(parse, Parse::Texts | Parse::Counts)
}

/// The values of a repeated list, in one.
fn joined<'a>(lists: impl Iterator<Item = &'a Value>) -> Value {
    Value::Array(lists.filter_map(Value::as_array).flatten().cloned().collect())
}

fn arg(option: &RecipeOption) -> Arg {
    let arg = Arg::new(option.long)
        .long(option.long)
        .help(option.help.to_string())
        .help_heading(option.group)
        .visible_aliases(option.aliases.iter().copied())
        .aliases(option.old.iter().copied())
        .conflicts_with_all(option.conflicts.iter().copied())
        .requires_ifs(option.requires.map(|needed| (ArgPredicate::IsPresent, needed)));
    let arg = match option.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    let parse = option.parse;
    match parse {
        Parse::Flag => arg.action(ArgAction::SetTrue),
        _ => arg
            .action(if is_list(parse) { ArgAction::Append } else { ArgAction::Set })
            .value_name(option.value)
            .allow_hyphen_values(option.allows_hyphen)
            .value_parser(move |text: &str| parse.value(text)),
    }
}

/// Sets any value of a recipe.
fn set() -> Arg {
    Arg::new("set")
        .long("set")
        .value_name("KEY=VALUE")
        .help("Set a value as a recipe names it, such as schedule.batch=64; goes over the options")
        .help_heading("Run")
        .action(ArgAction::Append)
        .value_parser(setting)
}

/// An incomplete recipe of one value. A value that is no TOML is a text.
fn setting(text: &str) -> Result<Table, String> {
    let broken = || format!("expected KEY=VALUE such as schedule.batch=64, got `{text}`");
    let (key, value) = text.split_once('=').ok_or_else(broken)?;
    let quoted = Value::String(value.trim().to_owned());
    let parsed = text.parse::<Table>().or_else(|_| format!("{key} = {quoted}").parse::<Table>());
    parsed.map_err(|_| broken())
}

impl<G: Group> clap::Args for RecipeArgs<G> {
    fn augment_args(command: Command) -> Command {
        let command = command.args(G::options().iter().map(arg));
        match G::SECTIONS {
            [] => command,
            _ => command.arg(set()),
        }
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> clap::FromArgMatches for RecipeArgs<G> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for option in G::options() {
            let broken = |error| Error::raw(ErrorKind::InvalidValue, format!("{error}\n"));
            let value = match option.parse {
                Parse::Flag => matches.get_flag(option.long).then_some(Value::Boolean(true)),
                parse => {
                    let given = matches.try_get_many::<Value>(option.long).map_err(broken)?;
                    given.and_then(|mut given| match is_list(parse) {
                        true => Some(joined(given)),
                        false => given.next_back().cloned(),
                    })
                }
            };
            if let Some(value) = value {
                option.put(&mut self.recipe, value);
                self.given.push(option.long);
            }
        }
        if G::SECTIONS.is_empty() {
            return Ok(());
        }
        for set in matches.get_many::<Table>("set").into_iter().flatten() {
            if let Some(other) = set.keys().find(|section| !G::SECTIONS.contains(&&***section)) {
                let known = G::SECTIONS.join(", ");
                let error = format!("--set: expected a value of {known}, got one of `{other}`\n");
                return Err(Error::raw(ErrorKind::InvalidValue, error));
            }
            ae_recipe::merge(&mut self.recipe, set);
        }
        Ok(())
    }
}
