using System.Net.Http.Headers;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// Reads one object from its link, range after range, over one GET. What is cut off, stalled or altered is requested again from
/// the range's beginning, by Range and If-Match; an expired link is replaced by the service, if the batch is still ready.
/// </summary>
internal sealed class ObjectDownload(
    ClaimedManifest claim, Func<Manifest, Link> link, long length, Patience patience) : IAsyncDisposable
{
    private HttpResponseMessage? response;
    private Stream? body;
    private long position;
    private EntityTagHeaderValue? etag;

    /// <summary>Fills <paramref name="into"/> from an offset, and returns once <paramref name="flaw"/> finds no fault.</summary>
    public async Task ReadAsync(
        long offset, Memory<byte> into, Func<ReadOnlyMemory<byte>, string?> flaw, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (body is null || position != offset)
                    await OpenAsync(offset, cancellationToken);
                await FillAsync(into, cancellationToken);
                if (flaw(into) is { } wrong)
                    throw new TransferException(wrong) { IsAltered = true };
                patience.Progress();
                return;
            }
            catch (DeadLinkException dead)
            {
                Close();
                await patience.AfterAsync(dead, cancellationToken);
                await claim.RefreshAsync(cancellationToken);
            }
            catch (TransferException broken)
            {
                Close();
                await patience.AfterAsync(broken, cancellationToken);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private async Task OpenAsync(long offset, CancellationToken cancellationToken)
    {
        Close();
        // Only a resumed read can see another object than the one it began with.
        var range = new RangeHeaderValue(offset, length - 1);
        response = await claim.Links.GetAsync(
            link(claim.Manifest), range, offset > 0 ? etag : null, claim.BatchId, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent:
                if (response.Content.Headers.ContentRange is not { From: var from, Length: var whole } || from != offset
                    || (whole ?? length) != length)
                    throw new TransferException("its server answered with a different range or length") { IsAltered = true };
                break;
            case HttpStatusCode.OK:
                if ((response.Content.Headers.ContentLength ?? length) != length)
                    throw new TransferException("it has another length") { IsAltered = true };
                break;
            case HttpStatusCode.PreconditionFailed:
                // Another object under the same key: its bytes tell whether it is the same content.
                etag = null;
                throw new TransferException("it was replaced while it was read");
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                throw new TransferException("it is shorter") { IsAltered = true };
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                throw new TransferException($"its server answered {(int)response.StatusCode}")
                {
                    RetryAfter = Refusal.RetryAfter(response),
                };
            default:
                throw new DeadLinkException((int)response.StatusCode);
        }
        etag = response.Headers.ETag is { IsWeak: false } strong ? strong : null;
        body = await response.Content.ReadAsStreamAsync(cancellationToken);
        position = response.StatusCode == HttpStatusCode.OK ? 0 : offset;
        await SkipAsync(offset - position, cancellationToken);
    }

    // A server that does not support ranges sends the whole object.
    private async Task SkipAsync(long bytes, CancellationToken cancellationToken)
    {
        var scratch = new byte[bytes > 0 ? 64 * 1024 : 0];
        for (var left = bytes; left > 0;)
        {
            var run = (int)Math.Min(left, scratch.Length);
            await FillAsync(scratch.AsMemory(0, run), cancellationToken);
            left -= run;
        }
    }

    private async Task FillAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            for (var filled = 0; filled < into.Length;)
            {
                stall.CancelAfter(claim.Options.StallTimeout);
                var read = await body!.ReadAsync(into[filled..], stall.Token);
                if (read == 0)
                    throw new TransferException("it ended early");
                filled += read;
                position += read;
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransferException($"nothing was received for {claim.Options.StallTimeout}", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new TransferException("the connection was cut", e);
        }
    }

    private void Close()
    {
        body = null;
        response?.Dispose();
        response = null;
    }
}
