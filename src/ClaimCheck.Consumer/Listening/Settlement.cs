namespace ClaimCheck.Consumer.Listening;

/// <summary>The result of a try to handle an event.</summary>
internal enum Settlement
{
    /// <summary>It is handled, or nothing is left to handle.</summary>
    Done,

    /// <summary>It is to be tried again after a delay.</summary>
    Again,
}
