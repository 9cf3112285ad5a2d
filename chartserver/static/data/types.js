/**
 * What was proved of a version.
 * @typedef {object} Proof
 * @property {"proved" | "unproved" | "different"} status
 * @property {number} parity_sessions
 * @property {number} lookahead_sessions
 * @property {number} different_sessions
 * @property {string | null} first_session
 * @property {string | null} last_session
 * @property {number | null} proved_at
 */

/**
 * The shapes that travel between server and page. All times are UTC seconds.
 *
 * @typedef {"index" | "call" | "put"} Role
 *
 * @typedef {object} CandleColumns
 * @property {number[]} t open time
 * @property {number[]} o
 * @property {number[]} h
 * @property {number[]} l
 * @property {number[]} c
 * @property {(number | null)[]} [v] units; null for an index
 * @property {(number | null)[]} [oi] units; null if unknown
 * @property {boolean[]} [final]
 * @property {number[]} [k] known at; replay only
 * @property {number} [minutes] of this symbol's candles
 *
 * @typedef {object} Candle
 * @property {number} t
 * @property {number} o
 * @property {number} h
 * @property {number} l
 * @property {number} c
 * @property {number | null} v
 * @property {number | null} oi
 * @property {boolean} final
 *
 * @typedef {"long_build_up" | "short_build_up" | "short_covering" | "long_unwinding"} Position
 * @typedef {Position | "none"} Label
 *
 * @typedef {object} BuildUpColumns
 * @property {number[]} t open time of the five minutes
 * @property {number[]} close
 * @property {(number | null)[]} oi
 * @property {(number | null)[]} oi_change
 * @property {(number | null)[]} volume
 * @property {Label[]} label
 * @property {number[]} [k]
 *
 * @typedef {object} BuildUp
 * @property {number} t
 * @property {number} close
 * @property {number | null} oi
 * @property {number | null} oi_change
 * @property {number | null} volume
 * @property {Label} label
 *
 * @typedef {object} Reason
 * @property {string} symbol
 * @property {boolean} covering
 * @property {number} price_change
 * @property {number} oi_change
 * @property {number} volume
 * @property {number} mean_volume
 *
 * @typedef {object} Signal
 * @property {string} signal_id
 * @property {string} strategy
 * @property {string} version
 * @property {string} underlying
 * @property {number} event_time end of the evaluated interval
 * @property {number} known_at
 * @property {"BULLISH" | "BEARISH"} direction
 * @property {string} kind
 * @property {string} symbol what to buy
 * @property {number} atm_strike
 * @property {number} spot
 * @property {number | null} net_delta_volume
 * @property {number} entry
 * @property {number} stop
 * @property {number} target1
 * @property {number | null} target2 null where the rules have one target
 * @property {"market" | "stop"} entry_order
 * @property {number} revision from 1; corrected inputs make the next
 * @property {{contracts?: Reason[]}} [reasons] values per contract that led to it
 * @property {boolean} [withdrawn] corrected inputs took it back
 * @property {number | null} [withdrawn_at] when they did
 * @property {number | null} [iv] implied volatility of the contract
 * @property {number | null} [delta] of the contract
 *
 * @typedef {object} Outcome what became of a signal within a horizon; points after costs
 * @property {number} horizon_minutes 0 is the session's end
 * @property {number | null} entered_at
 * @property {number | null} entry_price
 * @property {number | null} exited_at
 * @property {number | null} exit_price
 * @property {number | null} gross_points
 * @property {number | null} costs_points
 * @property {number | null} mfe_points null where a gap hides it
 * @property {number | null} mae_points
 * @property {number} return_points
 * @property {boolean} hit target 1 before the stop
 * @property {string} exit_reason
 *
 * @typedef {Signal & {outcomes: Outcome[]}} JudgedSignal
 *
 * @typedef {object} Stats of one strategy, version and horizon; null where n is 0
 * @property {string} strategy
 * @property {string} version
 * @property {string} underlying
 * @property {number} horizon_minutes
 * @property {number} n entered ones
 * @property {number} n_not_entered
 * @property {number | null} hit_rate
 * @property {number | null} hit_rate_low
 * @property {number | null} hit_rate_high
 * @property {number | null} mean_mfe_points
 * @property {number | null} mean_mae_points
 * @property {number | null} mean_return_points
 * @property {number} random_n
 * @property {number | null} random_hit_rate
 * @property {number | null} random_hit_rate_low
 * @property {number | null} random_hit_rate_high
 * @property {number | null} random_mean_mfe_points
 * @property {number | null} random_mean_mae_points
 * @property {number | null} random_mean_return_points
 * @property {string} history
 * @property {number} fills
 * @property {number} sessions
 * @property {number} n_missing
 * @property {number} hits
 * @property {number} hits_that_lost
 * @property {number | null} hit_rate_if_lost
 * @property {number | null} hit_rate_if_won
 * @property {number | null} mean_return_low
 * @property {number | null} mean_return_high
 * @property {number | null} median_return_points
 * @property {number | null} profit_factor
 * @property {number | null} total_points
 * @property {number | null} total_rupees
 * @property {number | null} losing_run
 * @property {number | null} worst_run_points
 * @property {number | null} worst_run_rupees
 * @property {number | null} drawdown_points
 * @property {number | null} drawdown_rupees
 * @property {number} matched_n
 * @property {number} matched_sessions
 * @property {number | null} difference_points
 * @property {number | null} difference_low
 * @property {number | null} difference_high
 * @property {number} comparisons
 * @property {number | null} adjusted_low
 * @property {number | null} adjusted_high
 * @property {"better" | "worse" | "same" | "few_sessions" | "no_draws" | "not_entered"} verdict
 *
 * @typedef {object} Split a part of a version's entered signals
 * @property {string} strategy
 * @property {string} version
 * @property {string} part
 * @property {number} n
 * @property {number} sessions
 * @property {number} hit_rate
 * @property {number} mean_return_points
 * @property {number} median_return_points
 * @property {number | null} profit_factor
 * @property {number} matched_n
 * @property {number | null} difference_points
 *
 * @typedef {object} Equity what a version's signals came to by the end of a session
 * @property {string} strategy
 * @property {string} version
 * @property {string} session
 * @property {number} n
 * @property {number} equity_points
 * @property {number | null} equity_rupees
 * @property {number} matched_n
 * @property {number} random_equity_points
 *
 * @typedef {object} VersionCount
 * @property {string} strategy
 * @property {string} version
 * @property {number} signals
 * @property {number} withdrawn
 * @property {Proof} [proof]
 *
 * @typedef {object} Distribution of returns at one horizon, in points
 * @property {string} strategy
 * @property {string} version
 * @property {number} width of a bin
 * @property {{from: number, signals: number, random: number}[]} bins ascending; only those that
 *   hold any
 *
 * @typedef {object} Rejection a candidate that gave no signal
 * @property {string} underlying
 * @property {string} strategy
 * @property {string} version
 * @property {number} event_time
 * @property {string} reason
 * @property {string} symbol empty where it is about no single contract
 * @property {Record<string, unknown>} details
 * @property {number | null} known_at null where a row is missing
 *
 * @typedef {object} SourceState
 * @property {"up" | "down" | "idle"} state
 * @property {number | null} [last]
 * @property {string | null} [error]
 * @property {number | null} [delay_seconds] how late its data is, 0 in real time
 * @property {number | null} [token_ends_at]
 * @property {string | null} [note] what a person should know or do
 *
 * @typedef {object} LossLimit a strategy that takes no new entries in a session
 * @property {string} underlying
 * @property {string} strategy
 * @property {string} version
 * @property {number | null} since when the last of the losing trades was lost; null if not said
 * @property {number} [known_at] of the first rejected candidate; replay only
 *
 * @typedef {object} ClockAnswer
 * @property {number} market
 * @property {number} wall
 * @property {number} speed
 *
 * @typedef {object} Status
 * @property {"open" | "closed"} [market]
 * @property {"up" | "down"} [database]
 * @property {boolean} [simulated]
 * @property {number} [now] market time
 * @property {ClockAnswer} [clock]
 * @property {Record<string, SourceState>} [sources]
 * @property {number | null} [delay_seconds] of the source that is furthest behind
 * @property {SessionHours | null} [session] of today; null where it does not trade
 * @property {Record<string, number | null>} [ages] market seconds since what the newest rows tell of
 * @property {Record<string, Record<string, number | null>>} [ages_by] the same by underlying
 * @property {Incomplete[]} [incomplete] sessions that closed without their last candle
 * @property {LossLimit[]} [loss_limit] of the session of the market clock
 * @property {Problem[]} [problems] what is wrong with the system itself
 * @property {{check: string, since: number}[]} [held_back] failing checks that hold its signals back
 * @property {{strategy: string, problem: string, since: number}[]} [switched_off] of strategies that
 *   are not computed
 * @property {{task: string, problem: string, since: number}[]} [feed_faults] parts of the feed that
 *   fail and are started again
 * @property {"none"} [feed] no feed runs: what is stored is shown
 *
 * @typedef {object} Problem
 * @property {"disk_full" | "database_out" | "questions_hang" | "feed_dead" | "source_down"} cause
 * @property {string} what a sentence
 * @property {string} remedy another one
 * @property {number | null} since market time
 *
 * @typedef {object} Incomplete a session whose closing price is not known
 * @property {string} underlying
 * @property {string} session "2026-01-21"
 * @property {number} close when it ended
 * @property {number} last as of when its newest price is
 *
 * @typedef {object} SessionHours of one session
 * @property {string} session "2026-01-21"
 * @property {number} open
 * @property {number} close
 *
 * @typedef {object} PreviousDay prices of the session before
 * @property {string} session
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 *
 * @typedef {object} Missing what was asked for and is not stored
 * @property {"call" | "put" | "strike" | "expiry"} what
 * @property {string | number} value
 * @property {string} reason
 *
 * @typedef {object} LadderSide one contract of the ladder; null where not known
 * @property {string | null} symbol
 * @property {number | null} price last premium
 * @property {number | null} [price_at] when that became known
 * @property {number | null} [price_ended_at] as of when it is
 * @property {"candle" | "build_up" | null} [price_from]
 * @property {number | null} oi units
 * @property {number | null} [oi_at]
 * @property {number | null} oi_change units since the previous session's close
 * @property {number | null} [oi_change_5m] units within the five minutes that ended at `label_at`
 * @property {string | null} label
 * @property {number | null} [label_at] the last end of five minutes by `oi_at`
 * @property {number | null} iv per year: 0.14 is 14 %
 * @property {number | null} delta
 * @property {number | null} gamma per point
 * @property {number | null} theta rupees per calendar day
 * @property {number | null} vega rupees per percentage point
 * @property {number | null} greeks_at end of the interval they are of
 *
 * @typedef {{strike: number, call: LadderSide, put: LadderSide}} LadderRow
 *
 * @typedef {object} Ladder
 * @property {string} underlying
 * @property {string | null} expiry
 * @property {number | null} at when its newest row was observed
 * @property {boolean} [whole] false where only changed strikes are in it
 * @property {LadderRow[]} rows ascending by strike
 * @property {number | null} atm_strike
 * @property {number | null} [spot]
 * @property {number | null} pcr
 * @property {number} [oi_unknown] strikes with a side whose open interest is unknown: in no sum
 * @property {number | null} [max_pain] strike at which buyers would receive least
 * @property {number | null} [support] strike with the most open interest of puts
 * @property {number | null} [resistance] of calls
 * @property {number | null} forward
 * @property {"future" | "parity" | null} forward_source
 *
 * @typedef {object} Symbols
 * @property {string | null} index
 * @property {string | null} [future]
 * @property {string | null} call
 * @property {string | null} put
 *
 * @typedef {object} HistoryAnswer answer of /api/history and /api/replay
 * @property {string} [as_of] "epoch:seq"; history only
 * @property {string} underlying
 * @property {string | null} [session]
 * @property {string | null} expiry
 * @property {string[]} [expiries]
 * @property {number[]} strikes
 * @property {number | null} atm_strike
 * @property {number | null} spot
 * @property {string} interval
 * @property {boolean} simulated
 * @property {number} [now]
 * @property {ClockAnswer} [clock]
 * @property {Symbols} symbols
 * @property {Record<string, CandleColumns>} candles
 * @property {Record<string, BuildUpColumns>} build_ups
 * @property {Signal[]} signals
 * @property {Status} [status]
 * @property {LossLimit[]} [loss_limit] of all sessions of the range; replay only
 * @property {SessionHours[]} [sessions] hours of the sessions of the range
 * @property {Record<string, PreviousDay>} [previous] by symbol
 * @property {Missing[]} [missing]
 * @property {Record<string, CandleColumns>} [forming] states of candles before they were final
 * @property {Listed[]} [listed] replay only: contracts known in each session
 * @property {(Signal & {revised_at: number})[]} [revised] replay only: signals as they were before
 *   each correction
 *
 * @typedef {object} Listed contracts known in a session
 * @property {string} session "2026-01-21"
 * @property {string[]} expiries ascending, from the session on
 * @property {string | null} expiry the chosen one, else the nearest
 * @property {number[]} strikes of that expiry, ascending
 *
 * @typedef {Candle & {symbol: string, interval: 1 | 5}} CandleEvent
 * @typedef {BuildUp & {symbol: string}} BuildUpEvent
 */
export {}
