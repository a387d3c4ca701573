//! Page 14: rules, from readings to alarms.
//!
//! A rule file says which readings are dangerous. It is TOML, and `sensockd` reads it; firmware carries the same rules as a constant of `sensock-rules`, and
//! both say the same, to the bit.
//! ```toml
//! devices = ["cellar-3"]
//!
//! [quantity.temperature]
//! id = 1                                # as in the device's catalogue
//! unit = "°C"
//! scale = -2                            # a value of 2345 is 23.45 °C
//! every = "10 s"
//! plausible = [-40, 125]                # anything else is a fault, no fire
//!
//! [[rule]]
//! name = "heat"
//! quantity = "temperature"
//! above = { warning = "54 °C", critical = "65 °C" }
//! hysteresis = "3 °C"                   # a level is left so far back
//! hold = "10 s"                         # and counts once it has lasted so long
//!
//! [[rule]]
//! name = "rise"
//! quantity = "temperature"
//! signal = "rate"
//! over = "60 s"
//! above = { warning = "5 °C/min", critical = "10 °C/min" }
//!
//! [[hazard]]
//! name = "fire"                         # a warning from a score of 0.50 on, critical from 0.80 on
//! cells = [
//!     { rule = "heat", at = "warning", weight = 0.30 },
//!     { rule = "heat", at = "critical", weight = 0.30 },
//!     { rule = "heat", at = "critical", lasting = "60 s", weight = 0.20 },
//!     { rule = "rise", at = "critical", within = "60 s", weight = 0.25 },
//! ]
//! ```
//! The ready-made files in `examples/server/rules` (fire, heavy rain and flood, storm, earthquake, the dying sensor) say where each of their numbers is from.
//!
//! # What a rule can judge
//! | `signal` | with | of |
//! |---|---|---|
//! | `value` (if none is given) | | the value |
//! | `rate` | `over`, and a time in the thresholds (`/min`) or `per` | its change |
//! | `flow` | the same, and `wraps-at` | a counter: rain, water, energy |
//! | `running` | `memory`, `least`, `warm-up`, `way` | how far it is from its own mean, in mean deviations |
//! | `daily` | `slots`, `least`, `needed` | the same against the same hour of past days, in the file's `time-zone` |
//! | `season` | `slots`, `least`, `needed`, `days` | the same against the same month of past years |
//! | `standard` | `slots`, `table` | how far it is from a table |
//! | `shaking` | `short`, `long`, `warm-up` | how many times more it moves than it usually does |
//! | `silence` | | for how long no plausible reading came |
//!
//! A season has a cell for each month (`slots = "months"`: a river, the air's pressure) or for each hour of the day in each (`"months and hours"`: a
//! temperature). The present month is compared with past years only, and teaches the next ones if it has readings of at least `days` days, 7 if nothing is
//! said. A month of which fewer than `needed` years are known has no baseline: that is neither normal nor an alarm.
//!
//! `unless = { rule = "battery", at = "critical" }` takes readings for faults while another rule, which stands above, is that bad.
//!
//! # Before it runs
//! ```console
//! $ sensockd rules check fire.toml                                    # what was understood, or every mistake with its line
//! $ sensockd rules backtest fire.toml --store sqlite:plants.sqlite    # what it would have said of the last week
//! $ sensockd rules replay fire.toml --store sqlite:plants.sqlite      # whether its log leads to what it said
//! $ sensockd rules explain fire.toml fire 14:03 --store sqlite:plants.sqlite
//! fire at 2026-11-21 14:03:25: warning, raised at 2026-11-21 14:02:40
//!   RULE  CELL                   WEIGHT  COUNTS  WHY
//!   heat  warning                0.30    0.30    71 °C 5.0 s before; critical, warning or worse for 45 s
//!   heat  critical               0.30    0.30    71 °C 5.0 s before; critical for 45 s
//!   heat  critical for 1 min     0.20    -       71 °C 5.0 s before; critical for 45 s, 15 s too short
//!   rise  critical within 1 min  0.25    -       3.2 °C/min (71 °C 5.0 s before); normal, critical would be from 10 °C/min
//!   score 0.60: a warning from 0.50 on; 0.20 missing to critical
//! ```
//!
//! # Time
//! What counts is when something was measured, not when it came. Records are held back by the file's `lateness` (10 s if it says nothing) for those that come
//! late, and what comes later still is judged again in its place; a gap is neither normal nor an alarm, and a sensor that burns does not put the fire out. Event times are those of
//! [page 6](super::_06_honest_time): a record whose bounds are minutes apart is stored, but not judged.
