using System.Net.Http.Headers;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// Fetches what links lead to. It sends no key, follows links and redirects to allowed hosts only, and puts no link into an
/// exception.
/// </summary>
internal sealed class LinkClient(Uri service, BatchReaderOptions options) : IDisposable
{
    private const int MaxRedirects = 3;
    // The checksums are of the stored bytes: they must arrive unchanged.
    private readonly HttpClient http = OutgoingHttp.Create(TimeSpan.FromSeconds(10));

    /// <summary>Begins a GET. The caller disposes the answer, whatever its status.</summary>
    /// <exception cref="UntrustedLinkException">The link, or a redirect from it, leads to a host that is not allowed.</exception>
    /// <exception cref="TransferException">No answer.</exception>
    public async Task<HttpResponseMessage> GetAsync(
        Link link, RangeHeaderValue? range, EntityTagHeaderValue? etag, BatchId batch, CancellationToken cancellationToken)
    {
        var address = Allowed(Parse(link.Reveal(), batch), batch);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(options.StallTimeout);
        try
        {
            for (var redirects = 0; ; redirects++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address);
                request.Headers.Range = range;
                if (etag is not null)
                    request.Headers.IfMatch.Add(etag);
                var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
                if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)
                    || response.Headers.Location is not { } next)
                    return response;
                response.Dispose();
                if (redirects == MaxRedirects)
                    throw new TransferException($"more than {MaxRedirects} redirects");
                address = Allowed(next.IsAbsoluteUri ? next : new Uri(address, next), batch);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && stall.IsCancellationRequested)
        {
            throw new TransferException($"no answer within {options.StallTimeout}", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var failure = NetworkFailure.Of(e, address);
            throw new TransferException(
                failure.IsUntrusted
                    ? $"the certificate of {address.Authority} is not trusted: {failure.Reason}"
                    : $"{address.Authority} can't be reached: {failure.Reason}",
                e);
        }
    }

    public void Dispose() => http.Dispose();

    private static Uri Parse(string url, BatchId batch) =>
        url.Length <= 16 * 1024 && Uri.TryCreate(url, UriKind.Absolute, out var address)
            ? address
            : throw new IntegrityException("A link of the manifest is not an absolute address.", batch);

    private Uri Allowed(Uri address, BatchId batch)
    {
        if (address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
            throw new IntegrityException("A link of the manifest is not an http or https address without user info.", batch);
        if (address.Scheme == "http" && service.Scheme != "http")
        {
            throw new UntrustedLinkException(
                $"A link leads to {address.Authority} over plain http, but the service is configured with https: it was not "
                + "followed, because anyone on the way could read the records.", batch);
        }
        return IsAllowed(address)
            ? address
            : throw new UntrustedLinkException(
                $"A link leads to {address.Scheme}://{address.Authority}, which is neither the service's own address "
                + $"({service.GetLeftPart(UriPartial.Authority)}) nor one of "
                + $"{nameof(BatchReaderOptions)}.{nameof(BatchReaderOptions.AllowedLinkHosts)}: it was not followed. Add the "
                + "host if the files are there.", batch);
    }

    private bool IsAllowed(Uri address)
    {
        // Its own origin only: other ports of that host may belong to anybody.
        if (address.Scheme == service.Scheme && address.Port == service.Port && Same(address.IdnHost, service.IdnHost))
            return true;
        foreach (var allowed in options.AllowedLinkHosts)
        {
            if (Same(allowed, address.IdnHost)
                || Same(allowed, $"{address.IdnHost}:{address.Port}")
                || (allowed.StartsWith("*.", StringComparison.Ordinal)
                    && address.IdnHost.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)))
                return true;
        }
        return false;
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
