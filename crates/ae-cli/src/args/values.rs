//! Parsers of values of the command line.

/// Two values with a colon between them.
pub fn ends(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.into(), to.into())),
        _ => Err("expected two values with a colon between them, such as 3:8".into()),
    }
}

/// A penalty and its weights.
pub fn weights(text: &str) -> Result<(String, Vec<f64>), String> {
    let names = ae_train::PENALTIES.map(|kind| kind.option);
    let expected = format!("expected one of {} and weights, such as l1:0,0.001", names.join(", "));
    let Some((name, list)) = text.split_once(':') else { return Err(expected) };
    let list: Result<Vec<f64>, _> = list.split(',').map(str::parse).collect();
    match list {
        Ok(list) if names.contains(&name) => Ok((name.to_owned(), list)),
        _ => Err(expected),
    }
}
