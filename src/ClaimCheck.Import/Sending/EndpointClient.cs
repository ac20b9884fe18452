using System.Net.Http.Headers;
using Polly;
using Polly.Retry;

namespace ClaimCheck.Import.Sending;

/// <summary>The result of a call.</summary>
/// <param name="Status">0: no answer.</param>
/// <param name="Body">Null: longer than allowed.</param>
/// <param name="Location">The address that the answer names.</param>
/// <param name="RetryAfter">The delay that it asks for.</param>
/// <param name="Code">Where there is no answer: why.</param>
internal sealed record EndpointAnswer(int Status, byte[]? Body, Uri? Location, TimeSpan? RetryAfter, string? Code = null)
{
    /// <summary>Why there was no answer.</summary>
    public string? Trouble { get; init; }

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>
    /// Whether trying again may help. A 409 with a Retry-After is a call with the same key that is still under way.
    /// </summary>
    public bool IsTransient => Status is 0 or 408 or 425 or 429 or >= 500 || (Status == 409 && RetryAfter is not null);

    public string FailureCode => Code ?? $"http_{Status}";

    /// <summary>The status only: a body may quote records, and a location may be a link.</summary>
    public override string ToString() => $"{Status}";

    public string FailureText => Code switch
    {
        ImportCodes.TimedOut => "The endpoint did not answer in time.",
        ImportCodes.Unreachable => Trouble ?? "The endpoint can't be reached, or closed the connection.",
        _ => $"The endpoint answered {Status}.",
    };
}

/// <summary>Calls the endpoint: bounded in time and size, retried where that may help, without following redirects.</summary>
internal sealed class EndpointClient : IDisposable
{
    private readonly HttpClient http;
    private readonly ResiliencePipeline<EndpointAnswer> pipeline;
    private readonly EndpointOptions options;
    private readonly AuthenticationHeaderValue? authorization;
    private readonly Uri address;

    /// <param name="options">Checked.</param>
    /// <param name="retry">Checked.</param>
    /// <param name="key">The bearer token, or null.</param>
    /// <param name="time">The clock of the delays.</param>
    public EndpointClient(EndpointOptions options, ImportRetryOptions retry, string? key, TimeProvider time)
    {
        this.options = options;
        address = new Uri(options.Url!);
        authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        // records and key are sent only where the operator said
        http = OutgoingHttp.Create(TimeSpan.FromSeconds(10), DecompressionMethods.All);
        pipeline = Pipeline(retry, time);
    }

    public Uri Address => address;

    /// <summary>Calls until there is a definite answer, or enough tries were made.</summary>
    /// <param name="request">Creates the request again for each try.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<EndpointAnswer> CallAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken) =>
        await pipeline.ExecuteAsync(async (make, token) => await TryAsync(make(), token), request, cancellationToken);

    public void Dispose() => http.Dispose();

    private static ResiliencePipeline<EndpointAnswer> Pipeline(ImportRetryOptions retry, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<EndpointAnswer> { TimeProvider = time };
        if (retry.Tries > 1)
        {
            builder.AddRetry(new RetryStrategyOptions<EndpointAnswer>
            {
                MaxRetryAttempts = retry.Tries - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = retry.Delay,
                MaxDelay = retry.LongestDelay,
                // A longer delay, if asked for, is taken into account by the next round.
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result is { IsTransient: true } answer && !(answer.RetryAfter > retry.LongestDelay)),
                DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result?.RetryAfter),
            });
        }
        return builder.Build();
    }

    private async Task<EndpointAnswer> TryAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var _ = request;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            // The key and the headers are for the operator's endpoint only; a job's results may be elsewhere.
            if (IsOwn(request.RequestUri!))
            {
                request.Headers.Authorization = authorization;
                foreach (var (name, value) in options.Headers)
                    request.Headers.TryAddWithoutValidation(name, value);
            }
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var body = await ReadAsync(answer.Content, limit.Token);
            return new((int)answer.StatusCode, body, answer.Headers.Location, RetryAfterOf(answer));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && limit.IsCancellationRequested)
        {
            return new(0, null, null, null, ImportCodes.TimedOut);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(0, null, null, null, ImportCodes.Unreachable)
            {
                Trouble = NetworkFailure.Of(e, request.RequestUri).Sentence("The endpoint"),
            };
        }
    }

    public bool IsOwn(Uri uri) =>
        uri.Scheme == address.Scheme && uri.Host.Equals(address.Host, StringComparison.OrdinalIgnoreCase)
        && uri.Port == address.Port;

    private async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var body = new MemoryStream((int)Math.Min(content.Headers.ContentLength ?? 4096, options.AnswerBytes));
        var buffer = new byte[16 << 10];
        while (await stream.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (body.Length + read > options.AnswerBytes)
                return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    private static TimeSpan? RetryAfterOf(HttpResponseMessage answer) => answer.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when answer.Headers.Date is { } now => date > now ? date - now : TimeSpan.Zero,
        { Date: not null } => TimeSpan.Zero,
        _ => null,
    };
}
