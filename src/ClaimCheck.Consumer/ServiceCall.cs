using System.Net.Http.Headers;

namespace ClaimCheck.Consumer;

/// <summary>One request to the service, retried while that may help; a refusal becomes a typed exception.</summary>
internal sealed class ServiceCall(HttpMethod method, string path)
{
    // An answer of the service is small; only a manifest of thousands of files is not.
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options) { MaxDepth = JsonDepth.OfDocuments };

    public BatchId? BatchId { get; init; }

    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The body, as JSON; null for none.</summary>
    public object? Content
    {
        init => Body = value is null ? null : JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ClaimCheckJson.Options);
    }

    public string MediaType { get; init; } = "application/json";

    public string? IdempotencyKey { get; init; }

    /// <summary>How long the service may delay its answer.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Whether <see cref="Wait"/> is sent as <c>Prefer</c>; the feed has a parameter for it instead.</summary>
    public bool Prefer { get; init; }

    public async Task<T> SendAsync<T>(HttpClient http, ClaimCheckClientOptions options, CancellationToken cancellationToken)
        where T : class =>
        (await AnswerAsync<T>(http, options, cancellationToken)).Value;

    public Task<ServiceAnswer<T>> AnswerAsync<T>(
        HttpClient http, ClaimCheckClientOptions options, CancellationToken cancellationToken)
        where T : class =>
        TryAsync(http, options, ReadAsync<T>, cancellationToken);

    /// <summary>Sends it where only the status of the answer matters.</summary>
    public Task SendAsync(HttpClient http, ClaimCheckClientOptions options, CancellationToken cancellationToken) =>
        TryAsync(http, options, static (response, _) => Task.FromResult(response.StatusCode), cancellationToken);

    private async Task<T> TryAsync<T>(
        HttpClient http, ClaimCheckClientOptions options, Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryOnceAsync(http, options, read, cancellationToken);
            }
            catch (ServiceUnavailableException e) when (attempt < options.MaxAttempts && !NeedsHands(e.Code))
            {
                await Task.Delay(
                    Backoff.After(attempt, options.RetryDelay, ClaimCheckClientOptions.LongestRetryDelay, e.RetryAfter),
                    cancellationToken);
            }
        }
    }

    // Somebody has to act first: the same call a moment later is refused again.
    private static bool NeedsHands(string code) =>
        code is NetworkFailure.Untrusted or ProblemCodes.DefinitionInvalid or ProblemCodes.SourceRowSecurity
            or ProblemCodes.SourceSettingsChanged;

    private async Task<T> TryOnceAsync<T>(
        HttpClient http, ClaimCheckClientOptions options, Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.Timeout + (Wait ?? TimeSpan.Zero));
        try
        {
            using var request = Request(options);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (!response.IsSuccessStatusCode)
                throw await Refusal.ReadAsync(response, BatchId, deadline.Token);
            return await read(response, deadline.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            throw new ServiceUnavailableException(
                "service_timeout", $"The service did not answer {method} within {options.Timeout + (Wait ?? TimeSpan.Zero)}.",
                BatchId, inner: e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var failure = NetworkFailure.Of(e, options.BaseAddress);
            throw new ServiceUnavailableException(
                failure.Code, failure.Sentence($"The service at {options.BaseAddress.Authority}"), BatchId, inner: e);
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    private async Task<ServiceAnswer<T>> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
        where T : class
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var bounded = new BoundedStream(body, MaxAnswerBytes);
        var value = await JsonSerializer.DeserializeAsync<T>(bounded, Json, cancellationToken);
        return value is null ? throw Unreadable() : new(value, Refusal.RetryAfter(response));
    }

    // The parser's own message may quote the answer, which may contain links: it is left out.
    private IntegrityException Unreadable() => new("The service's answer is not what this version reads.", BatchId);

    [SuppressMessage("Reliability", "CA2000", Justification = "The request owns its content and is disposed by the caller.")]
    private HttpRequestMessage Request(ClaimCheckClientOptions options)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/problem+json"));
        // The path is relative: the key is sent to the configured address and nowhere else.
        if (options.ApiKey is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
        if (options.Consumer is not null)
            request.Headers.Add("ClaimCheck-Consumer", options.Consumer);
        if (IdempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", $"\"{IdempotencyKey}\"");
        if (Prefer && Wait is { } wait)
            request.Headers.Add("Prefer", $"wait={(int)wait.TotalSeconds}");
        if (Body is { } body)
        {
            request.Content = new ReadOnlyMemoryContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaType);
        }
        return request;
    }
}

/// <summary>A value, and when the service suggests to ask again.</summary>
internal sealed record ServiceAnswer<T>(T Value, TimeSpan? RetryAfter);
