using ClaimCheck.Adapter.Deliveries;

namespace ClaimCheck.Adapter.Steps;

/// <summary>
/// One step of deliveries. It reads the document, does one thing that may be repeated, and writes the next state down; so a process may
/// end anywhere, and the next one goes on.
/// </summary>
internal interface IDeliveryStep
{
    /// <summary>Whether it is what a delivery needs next. Each has one such step.</summary>
    bool Takes(DeliveryDocument document, Route route);

    /// <returns>How long until there is something to do; null once the delivery is forgotten.</returns>
    Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken);
}
