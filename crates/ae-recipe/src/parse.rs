//! Parsers of settings on a command line, into values of a recipe. Their errors say what is expected.

use ae_models::Activation;
use toml::{Table, Value};

/// The name of an activation.
pub fn activation(text: &str) -> Result<Value, String> {
    let activation: Activation = text.parse()?;
    Ok(activation.name().into())
}

/// As TOML's signed integer.
pub(crate) fn number(value: usize) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Layer widths, or `none`.
pub fn widths(text: &str) -> Result<Value, String> {
    if text == "none" {
        return Ok(Value::Array(Vec::new()));
    }
    let widths = text.split(',').map(|width| width.trim().parse::<usize>());
    let widths = widths.collect::<Result<Vec<_>, _>>();
    let widths = widths.map_err(|_| "expected numbers such as 500,250, or none".to_owned())?;
    Ok(Value::Array(widths.into_iter().map(number).collect()))
}

/// A table with one key.
pub(crate) fn table(key: &str, value: impl Into<Value>) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value.into())]))
}

/// Width and height in pixels.
pub fn size(text: &str) -> Result<Value, String> {
    let (width, height) = pixels(text)?;
    Ok(Value::Array(vec![number(width), number(height)]))
}

/// Width and height in pixels, as numbers.
pub fn pixels(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.ok_or_else(|| "expected width and height in pixels, such as 64x48".into())
}

/// Channels: grey or rgb.
pub fn color(text: &str) -> Result<Value, String> {
    match text {
        "grey" | "gray" => Ok(1.into()),
        "rgb" => Ok(3.into()),
        _ => Err("expected grey or rgb".into()),
    }
}

/// A separator of cells.
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

/// Two whole numbers.
pub fn pair(text: &str) -> Result<Value, String> {
    let parts = text.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let parts = parts.map(|(a, b)| Value::Array(vec![number(a), number(b)]));
    parts.ok_or_else(|| "expected two numbers, such as 20000,2000".into())
}

/// A size of the code.
pub fn code(text: &str) -> Result<Value, String> {
    match text.parse() {
        // `maps` is the value of recipes, and the option of earlier versions.
        _ if matches!(text, "feature-map" | "maps") => Ok("maps".into()),
        Ok(units) => Ok(number(units)),
        Err(_) => Err("expected a number of units, or feature-map".into()),
    }
}

/// A normalisation.
pub fn norm(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if matches!(text, "none" | "layer") => Ok(text.into()),
        Some(("group", groups)) if groups.parse::<u32>().is_ok_and(|groups| groups > 0) => {
            Ok(table("group", groups.parse::<i64>().map_err(|error| error.to_string())?))
        }
        _ => Err("expected none, layer or group:N (N groups of channels)".into()),
    }
}

/// A corruption, such as `masking:0.25`.
pub fn corruption(text: &str) -> Result<Value, String> {
    let expected = "expected none, masking:P, salt-and-pepper:P, gaussian:S or deform:PIXELS, such as masking:0.25";
    match text.split_once(':') {
        None if text == "none" => Ok(text.into()),
        Some((kind @ ("masking" | "salt-and-pepper" | "gaussian" | "deform"), level)) => {
            let level: f64 = level.parse().map_err(|_| expected.to_owned())?;
            Ok(table(kind, level))
        }
        _ => Err(expected.into()),
    }
}

/// Two weights with a colon between them.
pub fn corruption_weights(text: &str) -> Result<Value, String> {
    let parts = text.split_once(':').and_then(|(a, b)| {
        Some(vec![Value::Float(a.parse().ok()?), Value::Float(b.parse().ok()?)])
    });
    parts.map(Value::Array).ok_or_else(|| "expected two weights, such as 1:0.5".into())
}

/// A number of units, and how it is reached.
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

/// How to compute the norm of a Jacobian.
pub fn jacobian(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if text == "exact" => Ok(text.into()),
        Some(("probes", count)) if count.parse::<u32>().is_ok() => {
            Ok(table("probes", count.parse::<i64>().map_err(|error| error.to_string())?))
        }
        _ => Err("expected exact or probes:N, such as probes:4".into()),
    }
}

/// An optimiser, with its default settings.
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

/// A decay of the learning rate.
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
