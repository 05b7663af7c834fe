//! Seats: how many connections somebody may have. Who comes when all are taken gets the seat of the oldest, because a node
//! whose link broke comes back while its old connection still seems to live, and because a crowd that only sits must not keep
//! others out. Where a guest is costly (what it half sent was read for nothing when it goes) the oldest may sit for a while
//! first, and whoever comes too early is turned away.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Number, since when, and how to ask to go.
type Taken = VecDeque<(u64, Instant, CancellationToken)>;

/// Seats, so many for each key.
pub(super) struct Seats<K> {
    most: usize,
    /// How long everybody may sit.
    least: Duration,
    taken: Mutex<(u64, HashMap<K, Taken>)>,
}

impl<K: Hash + Eq + Copy> Seats<K> {
    /// No seat is taken yet.
    pub(super) fn new(most: usize, least: Duration) -> Arc<Self> {
        Arc::new(Self { most, least, taken: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<K, Taken>)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat. If none is free the one who has sat longest is asked to go; `None` if it may still sit.
    pub(super) fn take(self: &Arc<Self>, key: K, now: Instant) -> Option<Seat<K>> {
        let asked = CancellationToken::new();
        let mut taken = self.lock();
        taken.0 += 1;
        let number = taken.0;
        let of_key = taken.1.entry(key).or_default();
        if of_key.len() >= self.most {
            of_key.pop_front_if(|(_, since, _)| now.duration_since(*since) >= self.least)?.2.cancel();
        }
        of_key.push_back((number, now, asked.clone()));
        Some(Seat { seats: self.clone(), key, number, asked })
    }
}

/// A seat, until it is dropped.
pub(super) struct Seat<K: Hash + Eq + Copy> {
    seats: Arc<Seats<K>>,
    key: K,
    number: u64,
    asked: CancellationToken,
}

impl<K: Hash + Eq + Copy> Seat<K> {
    /// Cancelled when somebody newer needs the seat.
    pub(super) fn asked(&self) -> CancellationToken {
        self.asked.clone()
    }
}

impl<K: Hash + Eq + Copy> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(of_key) = taken.1.get_mut(&self.key) {
            of_key.retain(|(number, ..)| *number != self.number);
            if of_key.is_empty() {
                taken.1.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(2);

    #[test]
    fn the_oldest_makes_room_for_the_newest_of_its_key_only() {
        let (seats, begin) = (Seats::new(2, LEAST), Instant::now());
        let asked = |seat: &Seat<u8>| seat.asked().is_cancelled();
        let take = |key, after: u64| seats.take(key, begin + Duration::from_secs(after));
        let sits = "a seat";
        let (first, second, other) =
            (take(1, 0).expect(sits), take(1, 1).expect(sits), take(2, 1).expect(sits));
        assert!(!asked(&first) && !asked(&second) && !asked(&other));
        assert!(take(1, 1).is_none(), "the oldest may still sit");
        let third = take(1, 2).expect(sits);
        assert!(asked(&first) && !asked(&second) && !asked(&third) && !asked(&other));
        drop(second);
        let fourth = take(1, 2).expect(sits);
        assert!(!asked(&third) && !asked(&fourth), "a seat was free");
        drop((first, third, fourth, other));
        assert!(seats.lock().1.is_empty(), "everybody left");
    }
}
