using ClaimCheck.Adapter.Notices;

namespace ClaimCheck.Adapter.Steps;

/// <summary>Sends the notices and receipts that the adapter owes about a delivery.</summary>
internal sealed partial class Duties(
    CheckedAdapterOptions options, ServiceApi service, NoticeSender notices, ILogger<Duties> logger)
{
    private readonly TimeProvider time = TimeProvider.System;

    /// <returns>Whether it is done, or given up; else it is tried again later.</returns>
    public async Task<bool> DischargeAsync(Delivery delivery, Route route, Duty duty, CancellationToken cancellationToken)
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

        if (sent.IsTerminal || now - duty.Since > options.Retry.GiveUpAfter)
        {
            await delivery.ChangeAsync(document => document.Discharged(duty, now, sent.Failure), CancellationToken.None);
            Log.GivenUp(logger, delivery.Document.Id, duty.Kind, duty.What, sent.Failure);
            return true;
        }

        var pause = Backoff.After(delivery.Looks.TriesOf(duty) + 1, options.Retry.Delay, options.Retry.LongestDelay);
        delivery.Looks.Tried(duty, now + pause);
        var failure = StepFailure.After(duty.LastFailure, duty.What, sent.Code, sent.Failure, now, pause);
        await delivery.NoteAsync(document => document.Tried(duty, failure), CancellationToken.None);
        Log.TriedInVain(logger, delivery.Document.Id, duty.Kind, duty.What, pause, sent.Code, sent.Failure);
        return false;
    }

    private async Task<Sent> NotifyAsync(Delivery delivery, Route route, Duty duty, CancellationToken cancellationToken)
    {
        if (route.Notify is not { } target)
            return new("The route has no notice configured.", true, "notice_unwanted");
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
            await service.PutReceiptAsync(
                document.BatchId!.Value, new ReceiptReport { State = duty.What, Succeeded = succeeded }, cancellationToken);
            return new(null, true);
        }
        catch (ClaimCheckException e)
        {
            return new(e.Message, !e.IsTransient, e.Code);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId}: the {Kind} '{What}' is accepted.")]
        public static partial void Discharged(ILogger logger, string deliveryId, DutyKind kind, string what);

        [LoggerMessage(
            LogLevel.Warning, "Delivery {DeliveryId}: the {Kind} '{What}' is tried again in {Pause}. {Code}: {Reason}")]
        public static partial void TriedInVain(
            ILogger logger, string deliveryId, DutyKind kind, string what, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId}: the notice '{What}' can't be created.")]
        public static partial void Broken(ILogger logger, Exception exception, string deliveryId, string what);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId}: the {Kind} '{What}' is given up. {Reason}")]
        public static partial void GivenUp(ILogger logger, string deliveryId, DutyKind kind, string what, string reason);
    }
}
