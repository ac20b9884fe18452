namespace ClaimCheck.Adapter.Locations;

/// <summary>Sends requests to one server with its own headers, and explains its errors.</summary>
internal sealed class HttpTarget(LocationOptions options, string name) : IDisposable
{
    private readonly HttpClient http = OutgoingHttp.Create(TimeSpan.FromSeconds(Math.Min(10, options.StallTimeout.TotalSeconds)));

    /// <summary>A body's checksum as RFC 9530 writes it.</summary>
    public static string Digest(ReadOnlyMemory<byte> sha256) => $"sha-256=:{Convert.ToBase64String(sha256.Span)}:";

    /// <summary>The checksum that a server reports for a file, or null.</summary>
    public static byte[]? Sha256Of(HttpResponseMessage answer)
    {
        if (!answer.Headers.TryGetValues("Repr-Digest", out var told)
            && !answer.Content.Headers.TryGetValues("Repr-Digest", out told))
            return null;
        foreach (var digest in told.SelectMany(line => line.Split(',', StringSplitOptions.TrimEntries)))
        {
            if (digest.StartsWith("sha-256=:", StringComparison.OrdinalIgnoreCase) && digest.EndsWith(':'))
            {
                var bytes = new byte[32];
                if (Convert.TryFromBase64String(digest[9..^1], bytes, out var length) && length == bytes.Length)
                    return bytes;
            }
        }
        return null;
    }

    /// <param name="request">Created here, so that it is disposed here.</param>
    /// <param name="doing">What was tried, as in "store a/b".</param>
    /// <param name="expected">Error statuses that are an answer.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <param name="mostBytes">The longest body that is read; 0: none.</param>
    /// <param name="body">What is sent, or null.</param>
    public async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> request, string doing, HttpStatusCode[] expected, CancellationToken cancellationToken,
        int mostBytes = 0, MovingStream? body = null)
    {
        using var message = request();
        foreach (var (header, value) in options.Headers)
            message.Headers.TryAddWithoutValidation(header, value);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(options.StallTimeout);
        // A long upload is fine as long as it makes progress.
        body?.Moved = () => stall.CancelAfter(options.StallTimeout);
        try
        {
            var answer = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            if (mostBytes > 0 && answer.IsSuccessStatusCode)
                await answer.Content.LoadIntoBufferAsync(mostBytes, stall.Token);
            if (answer.IsSuccessStatusCode || expected.Contains(answer.StatusCode))
                return answer;
            var status = answer.StatusCode;
            answer.Dispose();
            throw Explain(status, doing);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && stall.IsCancellationRequested)
        {
            throw new LocationException(
                LocationFailure.Away, $"{name} could not {doing}: nothing moved for {options.StallTimeout}.", inner: e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new LocationException(LocationFailure.Refused,
                $"{name} could not {doing}: its answer is longer than the limit of {mostBytes} bytes.", inner: e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new LocationException(
                LocationFailure.Away, $"{name} could not {doing}: {NetworkFailure.Of(e, message.RequestUri).Short}.", inner: e);
        }
    }

    public void Dispose() => http.Dispose();

    private LocationException Explain(HttpStatusCode status, string doing)
    {
        var failed = $"{name} could not {doing}: it answered {(int)status}";
        return (int)status switch
        {
            401 or 403 or 407 => new(LocationFailure.Denied, $"{failed}. Check the credentials in Headers, and their rights."),
            413 or 507 => new(LocationFailure.Full, $"{failed}. Free some space there, or raise its limit."),
            >= 300 and < 400 => new(
                LocationFailure.Away,
                $"{failed}, which is not followed: it would carry credentials and data elsewhere. Correct Url."),
            404 or 409 => new(
                LocationFailure.Away,
                $"{failed}. Create the folder that Url names, or set WebDav where folders must be created."),
            405 or 501 => new(
                LocationFailure.Away, $"{failed}: it does not accept this method. Set WebDav only where the target supports it."),
            400 or 422 => new(
                LocationFailure.Altered,
                $"{failed}: what arrived is not what was announced, or it does not understand the request."),
            _ => new(LocationFailure.Away, $"{failed}."),
        };
    }
}
