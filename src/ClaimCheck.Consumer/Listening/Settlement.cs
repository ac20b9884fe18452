namespace ClaimCheck.Consumer.Listening;

/// <summary>What becomes of an event after a try to handle it.</summary>
internal enum Settlement
{
    /// <summary>It is handled, or there is nothing left to be handled.</summary>
    Done,

    /// <summary>It is to be handed over again after a pause.</summary>
    Again,
}
