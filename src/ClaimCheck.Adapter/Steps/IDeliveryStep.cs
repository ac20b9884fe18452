namespace ClaimCheck.Adapter.Steps;

/// <summary>
/// One step of deliveries. It reads the document, does one thing that may be repeated, and stores the next state; so a process
/// may end anywhere, and the next one continues.
/// </summary>
internal interface IDeliveryStep
{
    /// <summary>Whether it is the delivery's next step. Each delivery has exactly one.</summary>
    bool Takes(DeliveryDocument document, Route route);

    /// <returns>The time until there is something to do; null once the delivery is deleted.</returns>
    Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken);
}
