namespace ClaimCheck.Service.Batches;

/// <summary>What is staged, sent through the service: a batch as one sequence of bytes (<see cref="DataLayout"/>), or one file of
/// it. Cut off of it. Cut off within a second of a revocation.</summary>
internal sealed class BatchStream(IStaging staging, ReaderWatch readers, IHostApplicationLifetime lifetime)
{
    /// <summary>Sends a number of bytes from a position on. After the first ones, an early end cuts the connection.</summary>
    /// <exception cref="StagingException">They can't be read, and none is sent.</exception>
    public async Task SendAsync(HttpContext context, StreamedContent content, long from, long length)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var watch = readers.WatchAsync(content.Read, ended.Cancel, ended.Token);
        try
        {
            foreach (var run in content.Runs)
            {
                if (length == 0)
                    break;
                if (from >= run.Length)
                {
                    from -= run.Length;
                    continue;
                }

                var take = Math.Min(length, run.Length - from);
                await SendAsync(context, run, from, take, ended.Token);
                length -= take;
                from = 0;
            }
        }
        catch (StagingException) when (!context.Response.HasStarted)
        {
            throw; // nothing is sent yet: 503
        }
        catch (Exception e) when (e is OperationCanceledException or StagingException)
        {
            // The length was already sent: a cut connection tells the client that the content is incomplete.
            context.Abort();
        }
        finally
        {
            await ended.CancelAsync();
            await watch;
        }
    }

    private async Task SendAsync(HttpContext context, DataRun run, long from, long length, CancellationToken cancellationToken)
    {
        if (run.Key is null)
        {
            await context.Response.Body.WriteAsync(run.Known.Slice((int)from, (int)length), cancellationToken);
            return;
        }

        await using var bytes = await staging.OpenReadAsync(run.Key, run.Offset + from, length, cancellationToken);
        await bytes.CopyToAsync(context.Response.Body, 128 << 10, cancellationToken);
    }
}
