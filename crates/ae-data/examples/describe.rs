//! Prints how a table is read: `cargo run -p ae-data --example describe -- data.csv [label column]`.

use ae_data::table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: describe PATH [LABEL_COLUMN]")?;
    let label = arguments.next();
    let samples = table::read(path.as_ref(), label.as_deref())?;
    let info = samples.table().ok_or("no table")?;
    println!("{path}: {} rows of {info}", samples.len());
    info.notes.iter().for_each(|note| println!("note: {note}"));
    println!("{} features: {}", samples.width(), info.schema.feature_names().join(", "));
    Ok(())
}
