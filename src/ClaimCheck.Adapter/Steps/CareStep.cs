namespace ClaimCheck.Adapter.Steps;

/// <summary>
/// What is left to do once a delivery is at its destination, or has ended: its notices and receipts, a look for a revocation
/// where no event announces one, and finally its deletion.
/// </summary>
internal sealed partial class CareStep(
    CheckedAdapterOptions options, Duties duties, RevocationCheck revocation, DeliveryBook book, ILogger<CareStep> logger)
    : IDeliveryStep
{
    private readonly TimeProvider time = TimeProvider.System;

    public bool Takes(DeliveryDocument document, Route route) => document.HasEnded || document.State == DeliveryState.Delivered;

    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        var next = DateTimeOffset.MaxValue;
        foreach (var duty in document.Duties.Where(duty => duty.IsOpen))
        {
            if (time.GetUtcNow() >= delivery.Looks.NextTryOf(duty)
                && await duties.DischargeAsync(delivery, route, duty, cancellationToken))
                return TimeSpan.Zero;
            next = Earlier(next, delivery.Looks.NextTryOf(duty));
        }

        if (document.State == DeliveryState.Delivered && route.Events is null)
        {
            if (await revocation.IsRevokedAsync(delivery, cancellationToken))
                return TimeSpan.Zero;
            next = Earlier(next, delivery.Looks.NextRevocationCheckAt ?? DateTimeOffset.MaxValue);
        }

        if (document.IsSettled)
        {
            var forgetAt = ForgetAt(document);
            if (time.GetUtcNow() >= forgetAt)
            {
                book.Forget(delivery);
                Log.Forgotten(logger, document.Id);
                return null;
            }

            next = Earlier(next, forgetAt);
        }

        return next - time.GetUtcNow() is var pause && pause > TimeSpan.Zero ? pause : TimeSpan.FromMilliseconds(1);
    }

    // A batch that can still be revoked must stay findable.
    private DateTimeOffset ForgetAt(DeliveryDocument document)
    {
        var ended = (document.EndedAt ?? document.DeliveredAt ?? document.CreatedAt) + options.StateRetention;
        return document.State == DeliveryState.Delivered && document.BatchExpiresAt > ended
            ? document.BatchExpiresAt.Value
            : ended;
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Delivery {DeliveryId} is deleted: its retention is over.")]
        public static partial void Forgotten(ILogger logger, string deliveryId);
    }
}
