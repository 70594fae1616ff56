//! The example data: generated, the same at every installation.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta};
use daos::example_data;
use infra::{
    Error, Result,
    db::{Executor, Value},
};

use super::Dataset;

/// Rows written by one statement.
const BATCH: usize = 400;

/// A small generator (SplitMix64): the data must be the same everywhere, nothing more.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Around `mean`, by at most `spread`; the sum of three throws is bell-shaped.
    fn around(&mut self, mean: f64, spread: f64) -> f64 {
        mean + spread * ((self.next() + self.next() + self.next()) / 1.5 - 1.0)
    }
    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get((self.next() * items.len() as f64) as usize)
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// Fills the table of a dataset; it must be empty.
pub(super) async fn fill(exec: &dyn Executor, dataset: &Dataset) -> Result<()> {
    let rows = match dataset.name.as_str() {
        "bakery_sales" => bakery_sales()?,
        "river_levels" => river_levels()?,
        "deliveries" => deliveries()?,
        other => return Err(Error::internal(format!("there are no data of {other}"))),
    };
    for batch in rows.chunks(BATCH) {
        example_data::insert_rows(exec, &dataset.name, &dataset.columns, batch).await?;
    }
    Ok(())
}

fn date(year: i32) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, 1, 1).ok_or_else(|| Error::internal("no such year"))
}

/// Sine of the year: −1 in midwinter, 1 in midsummer.
fn season(day: NaiveDate) -> f64 {
    ((f64::from(day.ordinal()) - 105.0) / 365.25 * std::f64::consts::TAU).sin()
}

fn bakery_sales() -> Result<Vec<Vec<Value>>> {
    const BRANCHES: &[(&str, f64)] =
        &[("Harbour", 1.5), ("Market", 1.3), ("Station", 1.1), ("Old Town", 0.8), ("Hillside", 0.5)];
    // category, product, price, cost, units a day, how much summer adds
    const PRODUCTS: &[(&str, &str, f64, f64, f64, f64)] = &[
        ("Bread", "Rye", 4.2, 1.9, 30.0, -0.1),
        ("Bread", "Sourdough", 5.1, 2.2, 26.0, -0.1),
        ("Bread", "Baguette", 2.4, 0.9, 44.0, 0.1),
        ("Pastry", "Croissant", 2.1, 1.0, 52.0, 0.0),
        ("Pastry", "Cinnamon roll", 2.8, 1.1, 33.0, -0.3),
        ("Cake", "Cheesecake", 4.6, 2.0, 12.0, 0.2),
        ("Cake", "Apple cake", 3.9, 1.5, 15.0, -0.2),
        ("Drinks", "Iced coffee", 3.4, 0.8, 24.0, 0.8),
    ];
    let (start, mut dice, mut rows) = (date(2024)?, Dice(1), Vec::new());
    for offset in 0..731_u64 {
        let day = start + Days::new(offset);
        let weekend = if day.weekday().num_days_from_monday() >= 5 { 1.35 } else { 1.0 };
        let growth = 1.0 + offset as f64 / 2400.0;
        for (branch, size) in BRANCHES {
            for (category, product, price, cost, usual, summer) in PRODUCTS {
                // not every branch sells everything every day
                if dice.next() < 0.45 {
                    continue;
                }
                let demand = usual * size * weekend * growth * (1.0 + summer * season(day));
                let units = dice.around(demand, demand * 0.4).round().max(0.0);
                rows.push(vec![
                    day.to_string().into(),
                    format!("{} {}", day.weekday().number_from_monday(), day.weekday()).into(),
                    (*branch).into(),
                    (*category).into(),
                    (*product).into(),
                    (units as i64).into(),
                    round(units * price, 2).into(),
                    round(units * cost, 2).into(),
                ]);
            }
        }
    }
    Ok(rows)
}

fn river_levels() -> Result<Vec<Vec<Value>>> {
    // river, station, latitude, longitude, usual level, flow per centimetre
    const STATIONS: &[(&str, &str, f64, f64, f64, f64)] = &[
        ("Aller", "Upper lock", 52.61, 10.08, 180.0, 0.55),
        ("Aller", "Mill bridge", 52.76, 9.39, 240.0, 0.80),
        ("Oker", "Gorge", 51.88, 10.49, 65.0, 0.20),
        ("Oker", "Town weir", 52.27, 10.52, 110.0, 0.30),
        ("Leine", "Castle", 52.19, 9.81, 160.0, 0.45),
        ("Leine", "Ford", 52.42, 9.62, 205.0, 0.60),
    ];
    let start: NaiveDateTime = date(2025)?.into();
    let (mut dice, mut rows) = (Dice(2), Vec::new());
    let mut rain = 0.0;
    for step in 0..(365 * 4) {
        let at = start + TimeDelta::hours(6 * step);
        // a wet spell raises all rivers together and runs off over about a week
        rain = rain * 0.965 + if dice.next() < 0.03 { dice.next() * 90.0 } else { 0.0 };
        for (river, station, latitude, longitude, usual, per_cm) in STATIONS {
            let level = usual * (1.0 - 0.18 * season(at.date())) + rain * usual / 180.0;
            let level = dice.around(level, 6.0).max(5.0);
            let temperature = dice.around(11.5 + 8.0 * season(at.date()), 2.0).max(0.1);
            rows.push(vec![
                at.into(),
                (*river).into(),
                (*station).into(),
                (*latitude).into(),
                (*longitude).into(),
                round(level, 1).into(),
                round(level * per_cm * (level / usual), 2).into(),
                round(temperature, 1).into(),
            ]);
        }
    }
    Ok(rows)
}

fn deliveries() -> Result<Vec<Vec<Value>>> {
    const TOWNS: &[(&str, &str)] = &[
        ("North", "Norden"),
        ("North", "Husum"),
        ("East", "Görlitz"),
        ("East", "Bautzen"),
        ("South", "Füssen"),
        ("South", "Lindau"),
        ("South", "Passau"),
        ("West", "Kleve"),
        ("West", "Aachen"),
    ];
    const CARRIERS: &[(&str, f64)] = &[("Cargo bike", 0.8), ("Van", 1.0), ("Post", 1.6)];
    const STATUS: &[&str] = &["1 ordered", "2 packed", "3 on the way", "4 delivered", "5 rated"];
    let (start, mut dice, mut rows) = (date(2025)?, Dice(3), Vec::new());
    for _ in 0..3000 {
        let day = start + Days::new((dice.next() * 365.0) as u64);
        let Some((region, town)) = dice.pick(TOWNS) else { continue };
        let Some((carrier, pace)) = dice.pick(CARRIERS) else { continue };
        let distance = dice.around(9.0, 8.5).max(0.4);
        let minutes = dice.around(14.0 + distance * 4.0 * pace, 18.0).max(6.0);
        let reached = (dice.next().powf(1.4) * STATUS.len() as f64) as usize;
        let Some(status) = STATUS.get(reached) else { continue };
        // only what was delivered and rated has a rating
        let rating =
            (reached == 4).then(|| dice.around(4.6 - minutes / 60.0, 1.4).round().clamp(1.0, 5.0) as i64);
        rows.push(vec![
            day.to_string().into(),
            (*region).into(),
            (*town).into(),
            (*carrier).into(),
            (*status).into(),
            round(distance, 1).into(),
            (minutes.round() as i64).into(),
            rating.into(),
        ]);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_the_same_every_time_and_plausible() {
        let rows = bakery_sales().unwrap();
        assert_eq!(rows, bakery_sales().unwrap());
        assert!(rows.len() > 10_000);
        assert_eq!(river_levels().unwrap().len(), 365 * 4 * 6);
        let deliveries = deliveries().unwrap();
        let rated = deliveries.iter().filter(|r| r[7] != Value::Null).count();
        assert!(rated > 300 && rated < deliveries.len());
    }
}
