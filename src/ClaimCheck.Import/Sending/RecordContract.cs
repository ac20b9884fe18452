namespace ClaimCheck.Import.Sending;

/// <summary>
/// <c>POST { "items": [ {…} ] }</c> with <c>Idempotency-Key</c>, answered by 200 or 207 with
/// <c>{ "items": [ { "index": 0, "status": 200 | "succeeded" | "failed", "class"?, "code"?, "message"? } ] }</c>.
/// </summary>
internal sealed class RecordContract(EndpointClient client) : ISendingContract
{
    public async Task<SendResult> SendAsync(Shipment shipment, CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync(() => Request(shipment), cancellationToken);
        if (answer.IsTransient)
            return new SendResult.Unanswered(answer.FailureCode, answer.FailureText, answer.RetryAfter);
        if (!answer.IsSuccess)
        {
            var refused = RecordOutcome.Failed(isTransient: false, answer.FailureCode, answer.FailureText);
            return new SendResult.Answered([.. Enumerable.Repeat(refused, shipment.Items.Count)]);
        }
        return answer.Status is 200 or 207 && Answers.ReadItems(answer.Body, shipment.Items.Count) is { } outcomes
            ? new SendResult.Answered(outcomes)
            : new SendResult.Unanswered(ImportCodes.MalformedAnswer,
                $"The endpoint answered {answer.Status}, but not with a status for each record as the contract has it.", null);
    }

    private HttpRequestMessage Request(Shipment shipment)
    {
        var request =
            new HttpRequestMessage(HttpMethod.Post, client.Address) { Content = new ItemsContent(null, shipment.Items) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", shipment.IdempotencyKey);
        request.Headers.Accept.ParseAdd("application/json");
        return request;
    }
}
