using ClaimCheck.Adapter.Notices;
using ClaimCheck.Adapter.Service;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// What is left to do once a delivery is at its destination, or has ended: notify the consumer system, send the service a
/// receipt, look for a revocation where no event announces one, and finally delete it.
/// </summary>
internal sealed partial class Aftercare(
    AdapterSettings settings, ClaimCheckClient client, ServiceApi service, NoticeSender notices, DeliveryBook book, ILogger<Aftercare> logger) : IDisposable
{
    private const string RevocationCheck = "revocationCheck";
    private readonly TimeProvider time = TimeProvider.System;
    private readonly SemaphoreSlim pace = new(1);

    /// <returns>The time until there is something to do; null once the delivery is deleted.</returns>
    public async Task<TimeSpan?> CareAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        var next = DateTimeOffset.MaxValue;
        foreach (var duty in document.Duties.Where(duty => duty.IsOpen))
        {
            if (time.GetUtcNow() >= delivery.Looks.NextTryOf(duty) && await DischargeAsync(delivery, route, duty, cancellationToken))
                return TimeSpan.Zero;
            next = Earlier(next, delivery.Looks.NextTryOf(duty));
        }

        if (document.State == DeliveryState.Delivered && route.Events is null)
        {
            if (await IsRevokedAsync(delivery, cancellationToken))
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

    public void Dispose() => pace.Dispose();

    // A batch that can still be revoked must stay findable.
    private DateTimeOffset ForgetAt(DeliveryDocument document)
    {
        var ended = (document.EndedAt ?? document.DeliveredAt ?? document.CreatedAt) + settings.StateRetention;
        return document.State == DeliveryState.Delivered && document.BatchExpiresAt > ended ? document.BatchExpiresAt.Value : ended;
    }

    private async Task<bool> DischargeAsync(Delivery delivery, Route route, Duty duty, CancellationToken cancellationToken)
    {
        var sent = duty.Kind == DutyKind.Notice
            ? await NotifyAsync(delivery, route, duty, cancellationToken)
            : await GiveReceiptAsync(delivery.Document, duty, cancellationToken);
        var now = time.GetUtcNow();
        if (sent.Failure is null)
        {
            await delivery.ChangeAsync(document => document.Discharged(duty, now), CancellationToken.None);
            Log.Discharged(logger, delivery.Document.Id, duty.Kind, duty.What);
            return true;
        }

        if (sent.IsFinal || now - duty.Since > settings.Retry.GiveUpAfter)
        {
            await delivery.ChangeAsync(document => document.Discharged(duty, now, sent.Failure), CancellationToken.None);
            Log.GivenUp(logger, delivery.Document.Id, duty.Kind, duty.What, sent.Failure);
            return true;
        }

        var pause = Pause.After(delivery.Looks.TriesOf(duty) + 1, settings.Retry.Delay, settings.Retry.LongestDelay);
        delivery.Looks.Tried(duty, now + pause);
        var failure = StepFailure.After(duty.LastFailure, duty.What, sent.Code, sent.Failure, now, pause);
        await delivery.NoteAsync(document => document.Tried(duty, failure), CancellationToken.None);
        Log.TriedInVain(logger, delivery.Document.Id, duty.Kind, duty.What, pause, sent.Code, sent.Failure);
        return false;
    }

    private async Task<Sent> NotifyAsync(Delivery delivery, Route route, Duty duty, CancellationToken cancellationToken)
    {
        if (route.Notify is not { } target)
            return new("The route notifies nobody any more.", true, "notice_unwanted");
        try
        {
            return await notices.SendAsync(route, target, delivery.Document, duty, cancellationToken);
        }
        catch (ClaimCheckException e)
        {
            return new(e.Message, false, e.Code); // no link is available
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It counts as a try, and the other duties of the delivery do not wait for it.
            Log.Broken(logger, Defect.Of(e), delivery.Document.Id, duty.What);
            return new(StepFailure.Unexpected(e), false, StepFailure.UnexpectedCode);
        }
    }

    private async Task<Sent> GiveReceiptAsync(DeliveryDocument document, Duty duty, CancellationToken cancellationToken)
    {
        var succeeded = duty.What == ReceiptState.Completed ? document.Records ?? 0 : 0;
        try
        {
            await service.PutReceiptAsync(document.BatchId!.Value, settings.Consumer, new ReceiptReport { State = duty.What, Succeeded = succeeded }, cancellationToken);
            return new(null, true);
        }
        catch (ClaimCheckException e)
        {
            return new(e.Message, !e.IsTransient, e.Code);
        }
    }

    private async Task<bool> IsRevokedAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var (looks, now, document) = (delivery.Looks, time.GetUtcNow(), delivery.Document);
        if (now >= (document.BatchExpiresAt ?? DateTimeOffset.MaxValue))
        {
            looks.NextRevocationCheckAt = DateTimeOffset.MaxValue;
            return false;
        }

        // Otherwise all delivered batches would be asked for at once after a start.
        looks.NextRevocationCheckAt ??= now + (settings.Polling.RevocationInterval * Random.Shared.NextDouble());
        if (now < looks.NextRevocationCheckAt)
            return false;
        await PaceAsync(cancellationToken);
        looks.NextRevocationCheckAt = time.GetUtcNow() + Pause.Jittered(settings.Polling.RevocationInterval);
        try
        {
            var batch = await client.GetBatchAsync(document.BatchId!.Value, cancellationToken);
            await delivery.NoteAsync(each => each.LastFailure?.Step == RevocationCheck ? each with { LastFailure = null } : null, CancellationToken.None);
            if (batch.State == ExportState.Revoked)
            {
                Log.Revoked(logger, document.Id, document.BatchId.Value);
                return await delivery.ChangeAsync(each => each.RevokedBySource(batch.Reason), CancellationToken.None);
            }

            if (batch.State != ExportState.Ready)
                looks.NextRevocationCheckAt = DateTimeOffset.MaxValue; // an end state that never changes
        }
        catch (NotFoundException)
        {
            looks.NextRevocationCheckAt = DateTimeOffset.MaxValue;
        }
        catch (ClaimCheckException e)
        {
            Log.NotChecked(logger, document.Id, e.Message);
            var failure = StepFailure.After(
                document.LastFailure, RevocationCheck, e.Code, e.Message, time.GetUtcNow(), looks.NextRevocationCheckAt.Value - time.GetUtcNow());
            await delivery.NoteAsync(each => each with { LastFailure = failure }, CancellationToken.None);
        }

        return false;
    }

    private async Task PaceAsync(CancellationToken cancellationToken)
    {
        await pace.WaitAsync(cancellationToken);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1 / settings.Polling.RevocationChecksPerSecond), time, cancellationToken);
        }
        finally
        {
            pace.Release();
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId}: the {Kind} '{What}' is accepted.")]
        public static partial void Discharged(ILogger logger, string deliveryId, DutyKind kind, string what);

        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId}: the {Kind} '{What}' is tried again in {Pause}. {Code}: {Reason}")]
        public static partial void TriedInVain(ILogger logger, string deliveryId, DutyKind kind, string what, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId}: the notice '{What}' can't be created.")]
        public static partial void Broken(ILogger logger, Exception exception, string deliveryId, string what);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId}: the {Kind} '{What}' is given up. {Reason}")]
        public static partial void GivenUp(ILogger logger, string deliveryId, DutyKind kind, string what, string reason);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId}: batch {BatchId} was revoked, and its pushed files will be removed.")]
        public static partial void Revoked(ILogger logger, string deliveryId, BatchId batchId);

        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId}: whether its batch was revoked could not be determined. {Reason}")]
        public static partial void NotChecked(ILogger logger, string deliveryId, string reason);

        [LoggerMessage(LogLevel.Debug, "Delivery {DeliveryId} is deleted: its retention is over.")]
        public static partial void Forgotten(ILogger logger, string deliveryId);
    }
}
