//! Parsers of command-line values, into recipe values.

use ae_models::Activation;
use toml::{Table, Value};

pub fn put(table: &mut Table, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value);
    }
}

/// As TOML's signed integer.
pub fn number(value: usize) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

pub fn numbers(values: &[usize]) -> Value {
    Value::Array(values.iter().copied().map(number).collect())
}

/// Layer widths, or `none`.
pub fn widths(text: &str) -> Result<Value, String> {
    if text == "none" {
        return Ok(Value::Array(Vec::new()));
    }
    let widths = text.split(',').map(|width| width.trim().parse::<usize>());
    let widths = widths.collect::<Result<Vec<_>, _>>();
    let widths = widths.map_err(|_| "expected numbers such as 500,250, or none".to_owned())?;
    Ok(numbers(&widths))
}

pub fn text(text: &Option<String>) -> Option<Value> {
    text.clone().map(Value::from)
}

pub fn name(activation: Option<Activation>) -> Option<Value> {
    activation.map(|activation| Value::from(activation.name()))
}

pub fn flag(flag: bool) -> Option<Value> {
    flag.then_some(Value::Boolean(true))
}

/// A section, unless it is empty.
pub fn filled(section: Table) -> Option<Value> {
    (!section.is_empty()).then_some(Value::Table(section))
}

pub fn table(key: &str, value: impl Into<Value>) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value.into())]))
}

pub fn seed(text: &str) -> Result<i64, String> {
    match text.parse() {
        Ok(seed) if seed >= 0 => Ok(seed),
        _ => Err("expected an integer from 0".into()),
    }
}

pub fn size(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.ok_or_else(|| "expected width and height in pixels, such as 64x48".into())
}

pub fn color(text: &str) -> Result<usize, String> {
    match text {
        "grey" | "gray" => Ok(1),
        "rgb" => Ok(3),
        _ => Err("expected grey or rgb".into()),
    }
}

pub fn separator(text: &str) -> Result<Value, String> {
    let mut letters = text.chars();
    let separator = match (text, letters.next(), letters.next()) {
        ("comma", ..) => ',',
        ("semicolon", ..) => ';',
        ("tab" | "\\t", ..) => '\t',
        ("blank" | "space", ..) => ' ',
        (_, Some(letter), None) => letter,
        _ => return Err("expected one character, or comma, semicolon, tab or blank".into()),
    };
    Ok(separator.to_string().into())
}

pub fn pair(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.ok_or_else(|| "expected two numbers, such as 20000,2000".into())
}

pub fn code(text: &str) -> Result<Value, String> {
    match text.parse() {
        // `maps` is the value of recipes, and the option of earlier versions.
        _ if matches!(text, "feature-map" | "maps") => Ok("maps".into()),
        Ok(units) => Ok(number(units)),
        Err(_) => Err("expected a number of units, or feature-map".into()),
    }
}

pub fn norm(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if matches!(text, "none" | "layer") => Ok(text.into()),
        Some(("group", groups)) if groups.parse::<u32>().is_ok_and(|groups| groups > 0) => {
            Ok(table("group", groups.parse::<i64>().map_err(|error| error.to_string())?))
        }
        _ => Err("expected none, layer or group:N (N groups of channels)".into()),
    }
}

pub fn precision(text: &str) -> Result<Value, String> {
    match text {
        "full" | "f16" | "bf16" => Ok(text.into()),
        _ => Err("expected full, f16 or bf16".into()),
    }
}

pub fn corruption(text: &str) -> Result<Value, String> {
    let expected =
        "expected none, masking:P, salt-and-pepper:P or gaussian:S, such as masking:0.25";
    match text.split_once(':') {
        None if text == "none" => Ok(text.into()),
        Some((kind @ ("masking" | "salt-and-pepper" | "gaussian"), level)) => {
            let level: f64 = level.parse().map_err(|_| expected.to_owned())?;
            Ok(table(kind, level))
        }
        _ => Err(expected.into()),
    }
}

pub fn corruption_weights(text: &str) -> Result<Value, String> {
    let parts = text.split_once(':').and_then(|(a, b)| {
        Some(vec![Value::Float(a.parse().ok()?), Value::Float(b.parse().ok()?)])
    });
    parts.map(Value::Array).ok_or_else(|| "expected two weights, such as 1:0.5".into())
}

pub fn top_k(text: &str) -> Result<Value, String> {
    let expected = "expected K, K:FROM or K:FROM:EPOCHS, such as 25:100:5";
    let parts: Result<Vec<usize>, _> = text.split(':').map(str::parse).collect();
    let parts = parts.map_err(|_| expected.to_owned())?;
    if parts.len() > 3 {
        return Err(expected.into());
    }
    let names = ["units", "from", "epochs"].into_iter();
    Ok(Value::Table(names.zip(parts).map(|(name, part)| (name.into(), number(part))).collect()))
}

pub fn jacobian(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if text == "exact" => Ok(text.into()),
        Some(("probes", count)) if count.parse::<u32>().is_ok() => {
            Ok(table("probes", count.parse::<i64>().map_err(|error| error.to_string())?))
        }
        _ => Err("expected exact or probes:N, such as probes:4".into()),
    }
}

pub fn optimizer(text: &str) -> Result<Value, String> {
    use ae_train::Optimizer;
    let optimizer = match text {
        "adam" => Optimizer::adam(),
        "adam-w" => Optimizer::adam_w(0.01),
        "sgd" => Optimizer::sgd(0.9),
        "rms-prop" => Optimizer::rms_prop(),
        _ => return Err("expected adam, adam-w, sgd (with momentum 0.9) or rms-prop".into()),
    };
    Value::try_from(optimizer).map_err(|error| error.to_string())
}

pub fn decay(text: &str) -> Result<Value, String> {
    let expected = "expected constant, cosine or step:EPOCHS:FACTOR, such as step:10:0.5";
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["constant" | "cosine"] => Ok(text.into()),
        ["step", epochs, factor] => {
            let epochs: i64 = epochs.parse().map_err(|_| expected.to_owned())?;
            let factor: f64 = factor.parse().map_err(|_| expected.to_owned())?;
            let mut step = Table::new();
            step.insert("epochs".into(), epochs.into());
            step.insert("factor".into(), factor.into());
            Ok(table("step", Value::Table(step)))
        }
        _ => Err(expected.into()),
    }
}

/// Two values with a colon between them.
pub fn ends(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.into(), to.into())),
        _ => Err("expected two values with a colon between them, such as 3:8".into()),
    }
}

/// A penalty and its weights.
pub fn weights(text: &str) -> Result<(String, Vec<f64>), String> {
    let names = ["l1", "kl", "contract", "curvature", "weight-decay"];
    let expected = format!("expected one of {} and weights, such as l1:0,0.001", names.join(", "));
    let Some((name, list)) = text.split_once(':') else { return Err(expected) };
    let list: Result<Vec<f64>, _> = list.split(',').map(str::parse).collect();
    match list {
        Ok(list) if names.contains(&name) => Ok((name.to_owned(), list)),
        _ => Err(expected),
    }
}
