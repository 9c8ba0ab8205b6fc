//! Says how a table is read: `cargo run -p ae-data --example describe -- data.csv [label column]`.

use ae_data::table::{self, Missing, TableOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path =
        arguments.next().ok_or("the path of a table, and after it the column of the labels")?;
    let label = arguments.next();
    let options = TableOptions { missing: Missing::Mean, ..TableOptions::default() };
    let samples = table::read_with(path.as_ref(), label.as_deref(), &options)?;
    let reading = samples.table().ok_or("no table")?;
    println!("{path}: {} rows of {reading}", samples.len());
    reading.notes.iter().for_each(|note| println!("note: {note}"));
    println!("{} features: {}", samples.width(), reading.schema.feature_names().join(", "));
    Ok(())
}
