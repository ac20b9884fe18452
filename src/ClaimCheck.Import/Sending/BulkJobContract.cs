namespace ClaimCheck.Import.Sending;

/// <summary>ClaimCheck's bulk jobs: a batch is posted as a job, the job is waited for, its results are read.</summary>
internal sealed class BulkJobContract(EndpointClient client, EndpointOptions options, TimeProvider time) : ISendingContract
{
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMinutes(1);

    private const int LongestWay = 3;

    private readonly Uri jobs = new(client.Address.AbsoluteUri.TrimEnd('/') + "/v1/bulk-jobs");

    public async Task<SendResult> SendAsync(Shipment shipment, CancellationToken cancellationToken)
    {
        var job = shipment.Job;
        if (job is null)
        {
            var answer = await client.CallAsync(() => Post(shipment), cancellationToken);
            if (answer.IsTransient)
                return new SendResult.Unanswered(answer.FailureCode, answer.FailureText, answer.RetryAfter);
            if (!answer.IsSuccess)
                return All(shipment, RecordOutcome.Failed(isTransient: false, CodeOf(answer), answer.FailureText));
            job = JobOf(answer.Location);
            if (job is null)
                return new SendResult.Unanswered(
                    ImportCodes.MalformedAnswer, $"The service answered {answer.Status}, but did not name a job.", null);
            await shipment.OnJob(job);
        }
        return await WaitAsync(new Uri(job), shipment, cancellationToken);
    }

    // The service may be called under another name than its own, so only the id counts.
    private string? JobOf(Uri? location)
    {
        var id = location is null ? "" : new Uri(jobs, location).Segments[^1].Trim('/');
        return id.StartsWith("job_", StringComparison.Ordinal) ? $"{jobs}/{id}" : null;
    }

    private async Task<SendResult> WaitAsync(Uri job, Shipment shipment, CancellationToken cancellationToken)
    {
        for (var begun = time.GetTimestamp(); ;)
        {
            var answer = await client.CallAsync(() => new HttpRequestMessage(HttpMethod.Get, job), cancellationToken);
            if (answer.IsTransient)
                return new SendResult.Unanswered(answer.FailureCode, answer.FailureText, answer.RetryAfter, job.AbsoluteUri);
            // Its outcome can't be determined.
            if (answer.Status is 404 or 410)
                return All(shipment, RecordOutcome.Failed(
                    isTransient: true, ImportCodes.JobGone, "The service does not know the job."));
            if (!answer.IsSuccess)
                return new SendResult.Unanswered(answer.FailureCode, answer.FailureText, null, job.AbsoluteUri);
            if (JobView.Read(answer.Body) is not { } view)
                return new SendResult.Unanswered(
                    ImportCodes.MalformedAnswer, "The service's answer is not a job.", null, job.AbsoluteUri);
            if (view.HasEnded)
                return await ResultsAsync(job, view, shipment, cancellationToken);
            if (time.GetElapsedTime(begun) > options.JobTimeout)
                return new SendResult.Unanswered(ImportCodes.JobUnfinished,
                    $"The job is {view.Status} after {options.JobTimeout}.", answer.RetryAfter, job.AbsoluteUri);
            var pause = answer.RetryAfter ?? options.JobPoll;
            await Task.Delay(pause < LongestPoll ? pause : LongestPoll, time, cancellationToken);
        }
    }

    private async Task<SendResult> ResultsAsync(Uri job, JobView view, Shipment shipment, CancellationToken cancellationToken)
    {
        var missing = view.Status == "completed"
            ? RecordOutcome.Failed(isTransient: true, ImportCodes.NotAnswered, "The job's results do not contain this record.")
            : RecordOutcome.Failed(view.IsTransient, view.Code ?? $"job_{view.Status}", view.Detail);
        if (view.ResultUrl is null)
        {
            return view.Status == "completed"
                ? new SendResult.Unanswered(
                    ImportCodes.MalformedAnswer, "The job has completed, but has no link to its results.", null, job.AbsoluteUri)
                : All(shipment, missing);
        }
        EndpointAnswer answer;
        var url = new Uri(job, view.ResultUrl);
        for (var hops = 0; ; hops++)
        {
            if (!client.IsOwn(url) && !options.ResultHosts.Contains(url.Host, StringComparer.OrdinalIgnoreCase))
                return new SendResult.Unanswered("untrusted_result_host",
                    $"The job's results are on {url.Host}, which endpoint.resultHosts does not name.", null, job.AbsoluteUri);
            var from = url;
            answer = await client.CallAsync(() => new HttpRequestMessage(HttpMethod.Get, from), cancellationToken);
            if (hops == LongestWay || answer.Location is null || answer.Status is not (302 or 303 or 307))
                break;
            url = new Uri(url, answer.Location);
        }
        // A link may have expired: the job, asked again, has a fresh one.
        if (answer.Status != 200)
            return new SendResult.Unanswered(answer.FailureCode, answer.FailureText, answer.RetryAfter, job.AbsoluteUri);
        return Answers.ReadLines(answer.Body, shipment.Items.Count, missing) is { } outcomes
            ? new SendResult.Answered(outcomes)
            : new SendResult.Unanswered(
                ImportCodes.MalformedAnswer, "The job's results are not one outcome for each record.", null, job.AbsoluteUri);
    }

    private HttpRequestMessage Post(Shipment shipment)
    {
        var request =
            new HttpRequestMessage(HttpMethod.Post, jobs) { Content = new ItemsContent(options.Operation, shipment.Items) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", shipment.IdempotencyKey);
        request.Headers.Accept.ParseAdd("application/json");
        return request;
    }

    private static SendResult.Answered All(Shipment shipment, RecordOutcome outcome) =>
        new([.. Enumerable.Repeat(outcome, shipment.Items.Count)]);

    // A problem document's own code says more than the status.
    private static string CodeOf(EndpointAnswer answer)
    {
        try
        {
            using var problem = JsonDocument.Parse(answer.Body ?? []);
            return problem.RootElement.ValueKind == JsonValueKind.Object
                && problem.RootElement.TryGetProperty("code", out var code)
                && code.ValueKind == JsonValueKind.String
                    ? code.GetString()!
                    : answer.FailureCode;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return answer.FailureCode;
        }
    }

    /// <summary>The fields of a job that matter here.</summary>
    private sealed record JobView(string Status, string? ResultUrl, string? Code, string? Detail, bool IsTransient)
    {
        /// <summary>Without the link to the results, which is a capability.</summary>
        public override string ToString() => Status;

        public bool HasEnded => Status is "completed" or "failed" or "cancelled";

        public static JobView? Read(byte[]? body)
        {
            try
            {
                using var document = JsonDocument.Parse(body ?? []);
                var job = document.RootElement;
                if (Text(job, "status") is not { } status)
                    return null;
                var failure =
                    job.TryGetProperty("failure", out var said) && said.ValueKind == JsonValueKind.Object ? said : default;
                var known = failure.ValueKind == JsonValueKind.Object;
                return new(
                    status, Text(job, "resultUrl"), known ? Text(failure, "code") : null, known ? Text(failure, "detail") : null,
                    known && failure.TryGetProperty("transient", out var transient) && transient.ValueKind == JsonValueKind.True);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return null;
            }
        }

        private static string? Text(JsonElement json, string name) =>
            json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
