//! What the program itself does now and then. Nobody else may.

/// Puts new signing keys into use; what the ones before have signed is worth nothing any more. System only.
#[derive(Debug)]
pub struct RotateKeys;

/// Announces what another process, such as the command line, has changed meanwhile; whether it has changed anything. That
/// keys were rotated is announced once this process uses the new ones, so that whoever hears it can renew at once. System
/// only.
#[derive(Debug)]
pub struct DetectOutsideWrites {
    /// The number of the set of keys that this process uses.
    pub keys_in_use: i64,
}

/// Makes the latest messages findable. System only.
#[derive(Debug)]
pub struct IndexMessages;

/// Overwrites and removes some parts of files that were deleted; whether there are more. System only.
#[derive(Debug)]
pub struct RemoveDiscarded;

/// Removes what is over: files that no message took, ended sessions, old throttles. System only.
#[derive(Debug)]
pub struct Tidy;

/// Ends the calls whose time is over.
#[derive(Debug)]
pub struct EndCalls;
