//! The section of the results, from lines of JSON.

use std::fmt::Write as _;

use serde_json::Value;

/// The methods in the order of the tables.
const METHODS: [&str; 7] = [
    "autoencoder",
    "mean/mode",
    "kNN",
    "chained ridge",
    "IterativeImputer",
    "KNNImputer",
    "missForest",
];

/// The lines of a benchmark and the tables in order.
struct Lines<'a> {
    lines: &'a [Value],
    tables: &'a [&'a str],
}

impl<'a> Lines<'a> {
    /// The last of the lines for them.
    fn find(&self, table: &str, mechanism: &str, method: &str) -> Option<&'a Value> {
        self.lines.iter().rfind(|line| {
            line["table"] == table && line["mechanism"] == mechanism && line["method"] == method
        })
    }

    fn number(&self, table: &str, mechanism: &str, method: &str, key: &str) -> Option<f64> {
        self.find(table, mechanism, method)?[key].as_f64()
    }

    /// Pairs of our number and that of another method, for the tables that have both.
    fn pairs(&self, mechanism: &str, method: &str, key: &str) -> Vec<(&'a str, f64, f64)> {
        let pair = |table: &&'a str| {
            let mine = self.number(table, mechanism, METHODS[0], key)?;
            Some((*table, mine, self.number(table, mechanism, method, key)?))
        };
        self.tables.iter().filter_map(pair).collect()
    }
}

/// The body of the section. `tables` are the names in order.
pub fn section(lines: &[Value], tables: &[&str]) -> String {
    let lines = Lines { lines, tables };
    let mut body = String::from(
        "A fifth of the known cells hidden (seed 1), 11 tables of UCI. Errors of the hidden cells: NRMSE of numbers \
         (root of the mean squared error in units of a column's deviation), and behind it, where there are \
         categories, the share of wrong ones. kNN and chained ridge are ours and learn from all rows; \
         IterativeImputer, KNNImputer (scikit-learn, with their defaults, on standardised columns and one-hot \
         categories) and missForest's loop (forests of 100 trees, sqrt(p) features; only MCAR) are those of \
         `benches/impute/rivals.py` on the same cells. The seconds are wall time on a machine with other work.\n\n\
         No training saw a hidden cell, and none chose an epoch. But settings that are the same for all tables were \
         chosen by the errors of cells of some of these tables: the number of steps by six of 569 to 4,601 rows, that \
         of donors by six, the width of layers by letter, the prior of the normal distribution by four of 201 to 1,030 \
         rows. Which they were was not written down, so no table is known to have chosen nothing.\n",
    );
    body += &earlier(&lines);
    for mechanism in ["mcar", "mar", "mnar"] {
        body += &mechanism_table(&lines, mechanism);
    }
    body += &tilted(&lines);
    body += "\n### MNAR and MCAR\n\n";
    body += &worse_under_mnar(&lines);
    body += &forest(&lines);
    body += &gain(&lines);
    body
}

/// How lines name cells that are hidden by their own value, where this is assumed.
pub const TILTED: &str = "mnar, tilt 1";

/// What assuming the mechanism changes.
fn tilted(lines: &Lines<'_>) -> String {
    let of =
        |table: &str, mechanism: &str, key: &str| lines.number(table, mechanism, METHODS[0], key);
    let tables = lines.tables.iter().filter(|it| of(it, TILTED, "nrmse").is_some());
    let tables: Vec<&&str> = tables.collect();
    if tables.is_empty() {
        return String::new();
    }
    let mut body = String::from(
        "\n### MNAR, assumed\n\nThe same cells with a tilt of 1 (`--tilt 1`), which is how they were hidden: the log \
         odds of a missing cell grow by 1 with each deviation of its value. Nothing in the data tells that, so this is no \
         comparison with methods that do not assume it.\n\n\
         | table | NRMSE | with the tilt | 90 % intervals | with the tilt | 90 % of draws | with the tilt |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let (mut inside, mut all, mut lower) = (0, 0, 0);
    for table in &tables {
        let [before, after] = ["mnar", TILTED].map(|it| of(table, it, "nrmse").unwrap_or(f64::NAN));
        let _ = write!(body, "| {table} | {before:.3} | {after:.3} |");
        lower += usize::from(after < before);
        for key in ["coverage", "draws_coverage"] {
            for mechanism in ["mnar", TILTED] {
                let share = of(table, mechanism, key);
                let text = share.map_or("-".into(), |it| format!("{:.1} %", 100.0 * it));
                let _ = write!(body, " {text} |");
                if let (Some(share), "coverage", TILTED) = (share, key, mechanism) {
                    all += 1;
                    inside += usize::from((0.85..=0.95).contains(&share));
                }
            }
        }
        body.push('\n');
    }
    let _ = writeln!(
        body,
        "\nThe NRMSE is lower with the tilt on {lower} of {}. The 90 % intervals have 85 to 95 % of the numbers on {inside} \
         of {all}.",
        tables.len()
    );
    body
}

/// Which lines are those of an earlier record, whose commit they have as `record`.
fn earlier(lines: &Lines<'_>) -> String {
    let mut commits: Vec<&str> =
        lines.lines.iter().filter_map(|it| it["record"].as_str()).collect();
    commits.sort_unstable();
    commits.dedup();
    let mut body = String::new();
    for commit in commits {
        let mut parts = vec![];
        for mechanism in ["mcar", "mar", "mnar"] {
            for method in METHODS {
                let is_old = |table: &&&str| {
                    let line = lines.find(table, mechanism, method);
                    line.is_some_and(|line| line["record"] == commit)
                };
                let tables: Vec<&str> = lines.tables.iter().filter(is_old).copied().collect();
                if !tables.is_empty() {
                    let on = match tables.len() == lines.tables.len() {
                        true => "all".to_owned(),
                        false => tables.join(", "),
                    };
                    parts.push(format!("{method} under {} on {on}", mechanism.to_uppercase()));
                }
            }
        }
        if !parts.is_empty() {
            let _ = writeln!(
                body,
                "\nTaken from the record of commit {commit}, which hid the same cells: {}.",
                parts.join("; ")
            );
        }
    }
    body
}

/// The table of a mechanism, and what it says.
fn mechanism_table(lines: &Lines<'_>, mechanism: &str) -> String {
    let has =
        |method: &&str| lines.tables.iter().any(|it| lines.find(it, mechanism, method).is_some());
    let methods: Vec<&str> = METHODS.into_iter().filter(|method| has(method)).collect();
    let mut body = format!("\n### {}\n\n| table |", mechanism.to_uppercase());
    methods.iter().for_each(|method| body += &format!(" {method} |"));
    body += " 90 % intervals | 90 % of draws | seconds |\n|---|";
    body += &"---|".repeat(methods.len() + 3);
    body.push('\n');
    for table in lines.tables {
        let Some(ours) = lines.find(table, mechanism, METHODS[0]) else { continue };
        let _ = write!(body, "| {table} |");
        for method in &methods {
            body += &lines.find(table, mechanism, method).map_or(" - |".into(), cell);
        }
        for key in ["coverage", "draws_coverage"] {
            let percent =
                ours[key].as_f64().map_or("-".into(), |it| format!("{:.1} %", 100.0 * it));
            let _ = write!(body, " {percent} |");
        }
        let _ = writeln!(body, " {:.0} |", ours["seconds"].as_f64().unwrap_or(0.0));
    }
    body.push('\n');
    for (key, what) in [
        ("nrmse", "The NRMSE of the autoencoder is below that of"),
        ("pfc", " Its share of wrong categories is below that of"),
    ] {
        let counts = methods.iter().skip(1).map(|method| {
            let pairs = lines.pairs(mechanism, method, key);
            let below = pairs.iter().filter(|(_, mine, its)| mine < its).count();
            format!("{method} on {below} of {}", pairs.len())
        });
        let _ = write!(body, "{what} {}.", counts.collect::<Vec<_>>().join(", "));
    }
    let both: Vec<(&str, bool)> = lines
        .tables
        .iter()
        .filter_map(|table| {
            let nrmse = |method| lines.number(table, mechanism, method, "nrmse");
            let (mine, one, other) =
                (nrmse(METHODS[0])?, nrmse("IterativeImputer")?, nrmse("KNNImputer")?);
            Some((*table, mine < one && mine < other))
        })
        .collect();
    let below = both.iter().filter(|(_, is_below)| *is_below).count();
    let others: Vec<&str> = both.iter().filter(|(_, it)| !it).map(|(table, _)| *table).collect();
    let _ = write!(
        body,
        " The NRMSE is below those of IterativeImputer and KNNImputer both on {below} of {}; expected on at least 8",
        both.len()
    );
    if !others.is_empty() {
        let _ = write!(body, " (not on {})", others.join(", "));
    }
    body += ".";
    for (key, what) in
        [("coverage", "The 90 % intervals have"), ("draws_coverage", "The draws have")]
    {
        let all: Vec<f64> = lines
            .tables
            .iter()
            .filter_map(|table| lines.number(table, mechanism, METHODS[0], key))
            .collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !all.is_empty() {
            let _ =
                write!(body, " {what} {:.1} to {:.1} % of the numbers.", 100.0 * low, 100.0 * high);
        }
    }
    body.push('\n');
    body
}

/// On how many tables the errors are larger under MNAR than under MCAR, for each method.
fn worse_under_mnar(lines: &Lines<'_>) -> String {
    let mut body = String::from("The NRMSE is larger under MNAR than under MCAR");
    for (at, method) in METHODS.iter().enumerate() {
        let pairs: Vec<bool> = lines
            .tables
            .iter()
            .filter_map(|table| {
                let mcar = lines.number(table, "mcar", method, "nrmse")?;
                Some(lines.number(table, "mnar", method, "nrmse")? > mcar)
            })
            .collect();
        if !pairs.is_empty() {
            let worse = pairs.iter().filter(|is_worse| **is_worse).count();
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(body, "{comma} on {worse} of {} tables for {method}", pairs.len());
        }
    }
    body += ".\n";
    body
}

/// The mean of ratios to missForest, over tables.
fn forest(lines: &Lines<'_>) -> String {
    let mut body = String::new();
    for (key, what) in [("nrmse", "NRMSE"), ("pfc", "share of wrong categories")] {
        let pairs = lines.pairs("mcar", "missForest", key);
        let ratios: Vec<f64> = pairs
            .iter()
            .filter(|(_, _, its)| *its > 0.0)
            .map(|(_, mine, its)| mine / its)
            .collect();
        if !ratios.is_empty() {
            let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
            let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let _ = write!(
                body,
                " The {what} is {mean:.3} of its on average over {} tables ({least:.3} to {most:.3}).",
                ratios.len()
            );
        }
    }
    match body.is_empty() {
        true => body,
        false => format!("\n### missForest\n\nUnder MCAR; expected at most 1.05.{body}\n"),
    }
}

fn gain(lines: &Lines<'_>) -> String {
    let mut body = String::from(
        "\n### RMSE of values scaled to [0, 1]\n\n| table | autoencoder | GAIN | its paper's auto-encoder | missForest, there |\n\
         |---|---|---|---|---|\n",
    );
    for (table, [gain, auto_encoder, forest]) in
        [("letter", [0.1198, 0.1351, 0.1605]), ("spam", [0.0513, 0.0670, 0.0553])]
    {
        let ours = lines.number(table, "mcar", METHODS[0], "rmse01");
        let ours = ours.map_or("-".into(), |it| format!("{it:.4}"));
        let _ =
            writeln!(body, "| {table} | {ours} | {gain:.4} | {auto_encoder:.4} | {forest:.4} |");
    }
    body += "\nThe figures of the paper (Yoon et al. 2018, table 2) are recalled, for 20 % MCAR in the same files; it rounds \
             columns of integers, as we do.\n";
    body
}

fn cell(line: &Value) -> String {
    let number = |key: &str| line[key].as_f64();
    let nrmse = number("nrmse").map_or("-".into(), |it| format!("{it:.3}"));
    match number("pfc") {
        Some(pfc) => format!(" {nrmse}, {pfc:.3} |"),
        None => format!(" {nrmse} |"),
    }
}
