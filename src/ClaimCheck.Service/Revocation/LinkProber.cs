using System.Net.Http.Headers;
using System.Net.Security;
using ClaimCheck.Aws;

namespace ClaimCheck.Service.Revocation;

/// <summary>One object's link, before and after. Stored with the deletion, as JSON.</summary>
internal sealed record Probe(string Key, int? Before, int? After, DateTimeOffset? At, bool IsDead);

/// <summary>Asks for one byte through fresh links, as any holder of a link would. A link consists of its signer, path and expiry:
/// one minted now behaves like those minted before. The links never leave the process.</summary>
internal sealed class LinkProber(
    LinkMinter minter, NpgsqlDataSource catalog, TimeProvider time, IHostApplicationLifetime lifetime) : IDisposable
{
    /// <summary>Beyond this number of objects all are listed as absent, and only this many are probed.</summary>
    public const int Most = 1000;

    private const int AtOnce = 16;
    private readonly HttpClient http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        Proxy = SystemProxy.Instance, // as the SDK reaches S3
        UseCookies = false,
        // The folder's links are served by this very process, whose certificate has its public name.
        SslOptions =
        {
            RemoteCertificateValidationCallback = (sender, _, _, errors) =>
                errors == SslPolicyErrors.None || sender is SslStream { TargetHostName: "localhost" or "127.0.0.1" or "::1" },
        },
    })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>The objects that links were minted for: files, their indexes, manifests.</summary>
    public async Task<IReadOnlyList<string>> ObjectsAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        var manifests = await connection.ListAsync<string>(
            "SELECT object_key FROM multipart_uploads WHERE batch_id = @Id AND attempt IS NULL ORDER BY object_key",
            new { Id = batch.Value },
            cancellationToken);
        var files = await FileRow.OfAsync(batch.Value, connection, cancellationToken);
        return
        [
            .. manifests.Distinct(StringComparer.Ordinal)
                .Concat(files.SelectMany(file => new[] { file.Name, file.IndexName }
                    .Select(name => StagingKeys.File(batch, file.Attempt, name))))
                .Take(Most),
        ];
    }

    /// <summary>What the links answer while they should still work. Never fails: null where it could not be
    /// asked in time.</summary>
    public async Task<IReadOnlyList<Probe>> BeforeAsync(
        IReadOnlyList<string> keys, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(atMost);
        var probes = new Probe[keys.Count];
        await Parallel.ForAsync(0, keys.Count,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (at, _) =>
            {
                int? status = null;
                try
                {
                    status = (await AskAsync(keys[at], limit.Token)).Status;
                }
                catch (Exception e) when (IsUnanswered(e) && !cancellationToken.IsCancellationRequested)
                {
                    // The proof then rests on the listing, and on what the link answers afterwards.
                }

                probes[at] = new(keys[at], status, null, null, IsDead: false);
            });
        return probes;
    }

    /// <summary>What the links answer now that they must be dead.</summary>
    public async Task<IReadOnlyList<Probe>> AfterAsync(IReadOnlyList<Probe> probes, CancellationToken cancellationToken)
    {
        // A service that restarts in the middle of a deletion continues it before its own address, which links may lead to, is
        // known.
        using (var listening = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStarted))
            await Task.Delay(Timeout.Infinite, listening.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var after = new Probe[probes.Count];
        await Parallel.ForAsync(0, probes.Count,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (at, token) =>
            {
                try
                {
                    var (status, isDead) = await AskAsync(probes[at].Key, token);
                    after[at] = probes[at] with { After = status, At = time.GetUtcNow(), IsDead = isDead };
                }
                catch (Exception e) when (IsUnanswered(e) && !cancellationToken.IsCancellationRequested)
                {
                    after[at] = probes[at] with { After = null, At = null, IsDead = false };
                }
            });
        return after;
    }

    public void Dispose() => http.Dispose();

    private async Task<(int Status, bool IsDead)> AskAsync(string key, CancellationToken cancellationToken)
    {
        var link = await minter.MintProbeAsync(key, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, link.Reveal());
        request.Headers.Range = new RangeHeaderValue(0, 0);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var isDead = response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden
            && SaysAbsent(response.StatusCode, await StartOfAsync(response, cancellationToken));
        return ((int)response.StatusCode, isDead);
    }

    // Only "no such object" is a proof: a missing bucket, a bad signature or a skewed clock also answer 404 or 403.
    private static bool SaysAbsent(HttpStatusCode status, string body) => status == HttpStatusCode.NotFound
        ? body.Contains("<Code>NoSuchKey</Code>", StringComparison.Ordinal)
            || body.Contains("\"not_found\"", StringComparison.Ordinal)
        : body.Contains("<Code>AccessDenied</Code>", StringComparison.Ordinal)
            && !body.Contains("expired", StringComparison.OrdinalIgnoreCase);

    private static async Task<string> StartOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[4096];
        var read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }

    private static bool IsUnanswered(Exception e) =>
        e is HttpRequestException or OperationCanceledException or IOException or StagingException;
}
