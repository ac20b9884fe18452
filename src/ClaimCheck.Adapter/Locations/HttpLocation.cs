using System.Net.Http.Headers;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// An HTTP server that accepts PUTs. With WebDAV a file gets its name by MOVE; without it the target must show a PUT only once it
/// is complete, as object stores and upload gateways do: this side could not hide an incomplete file.
/// </summary>
internal sealed class HttpLocation : ISharedLocation
{
    private static readonly HttpStatusCode[] Missing = [HttpStatusCode.NotFound, HttpStatusCode.Gone];
    // Some targets accept files and show none.
    private static readonly HttpStatusCode[] NotTaken = [HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotImplemented];

    private readonly LocationOptions options;
    private readonly TimeProvider time;
    private readonly HttpTarget target;
    private readonly Uri root;

    public HttpLocation(LocationOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        root = new Uri(options.Url!.TrimEnd('/') + "/");
        target = new HttpTarget(options, Name);
    }

    public string Name => root.AbsoluteUri;

    public bool CanList => options.WebDav;

    public async Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        var address = AddressOf(path);
        // Once it is sent it may be visible: faults must be found before.
        await Digests.VerifyAsync(open, path, bytes, sha256, cancellationToken);
        if (!options.WebDav)
        {
            await PutAsync(address, path, open, bytes, sha256, cancellationToken);
            await ProveAsync(path, path, bytes, sha256, cancellationToken);
            return;
        }
        var temporary = LocationPath.Temporary(path);
        await MakeFoldersAsync(path, cancellationToken);
        try
        {
            await PutAsync(AddressOf(temporary), path, open, bytes, sha256, cancellationToken);
            await ProveAsync(path, temporary, bytes, sha256, cancellationToken);
            using (await target.SendAsync(() => new HttpRequestMessage(WebDav.Move, AddressOf(temporary))
            {
                Headers = { { "Destination", address.AbsoluteUri }, { "Overwrite", "T" } },
            }, $"give {path} its name", [], cancellationToken))
            {
                // Done.
            }
        }
        catch
        {
            await TryRemoveAsync(AddressOf(temporary));
            throw;
        }
    }

    public async Task<Holding> HoldsAsync(
        string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var address = AddressOf(path);
        using var answer = await target.SendAsync(() => new HttpRequestMessage(HttpMethod.Head, address), $"look for {path}",
            [.. Missing, .. NotTaken], cancellationToken);
        if (Missing.Contains(answer.StatusCode))
            return Holding.Other;
        if (answer.IsSuccessStatusCode && answer.Content.Headers.ContentLength is { } length && length != bytes)
            return Holding.Other;
        if (answer.IsSuccessStatusCode && HttpTarget.Sha256Of(answer) is { } digest)
            return digest.AsSpan().SequenceEqual(sha256.Span) ? Holding.Same : Holding.Other;
        // Where it reports the length, a complete file has that length. Where it reports nothing, the bytes are compared.
        if (answer.IsSuccessStatusCode && answer.Content.Headers.ContentLength is not null)
            return Holding.Same;
        return bytes > LocationLimits.ReadBackBytes
            ? Holding.Unclear
            : await ReadBackAsync(address, path, bytes, sha256, cancellationToken);
    }

    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var address = AddressOf(path);
        using var answer = await target.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Get, address), $"read {path}", Missing, cancellationToken,
            LocationLimits.FileBytes);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(cancellationToken) : null;
    }

    public async Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken)
    {
        if (!options.WebDav)
            throw new LocationException(LocationFailure.Refused, $"{Name} can't be listed: it is used without WebDAV.");
        var address = FolderOf(folder);
        using var answer = await target.SendAsync(
            () => WebDav.List(address), $"list {folder}", Missing, cancellationToken, LocationLimits.ListingBytes);
        if (!answer.IsSuccessStatusCode)
            return [];
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        return await WebDav.ReadAsync(body, address, Name, cancellationToken);
    }

    public async Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
            await RemoveAsync(AddressOf(LocationPath.Join(folder, name)), $"delete {name} from {folder}", cancellationToken);
    }

    public async Task DeleteFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var address = FolderOf(LocationPath.Checked(folder));
        var entries = await ListAsync(folder, cancellationToken);
        await DeleteAsync(
            folder,
            [.. entries.Where(entry => !entry.IsFolder && LocationPath.IsName(entry.Name)).Select(entry => entry.Name)],
            cancellationToken);
        // DELETE of a collection deletes its content too.
        if (!entries.Any(entry => entry.IsFolder))
            await RemoveAsync(address, $"delete {folder}", cancellationToken);
    }

    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        options.WebDav ? LocationPath.CleanAsync(this, folder, time.GetUtcNow() - lease, cancellationToken) : Task.CompletedTask;

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var address = AddressOf(path).AbsoluteUri;
        return Task.FromResult<string?>(
            options.PublicUrl is { } seen ? $"{seen.TrimEnd('/')}/{LocationPath.Escaped(path)}" : address);
    }

    public ValueTask DisposeAsync()
    {
        target.Dispose();
        return ValueTask.CompletedTask;
    }

    private Uri AddressOf(string path) => new(root, LocationPath.Escaped(LocationPath.Checked(path)));

    private Uri FolderOf(string folder) => folder.Length == 0 ? root : new Uri(AddressOf(folder).AbsoluteUri + "/");

    private async Task PutAsync(
        Uri address, string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        await using var source = await open(cancellationToken);
        await using var body = new MovingStream(source);
        using var answer = await target.SendAsync(
            () =>
            {
                var content = new StreamContent(body, 256 << 10);
                content.Headers.ContentLength = bytes;
                content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                content.Headers.Add("Content-Digest", HttpTarget.Digest(sha256)); // RFC 9530
                return new HttpRequestMessage(HttpMethod.Put, address) { Content = content };
            },
            $"store {path}", [], cancellationToken, body: body);
    }

    private async Task ProveAsync(
        string path, string at, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        Digests.Prove(await HoldsAsync(at, bytes, sha256, cancellationToken), Name, path);

    private async Task<Holding> ReadBackAsync(
        Uri address, string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        using var answer = await target.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Get, address), $"read {path} back", [.. Missing, .. NotTaken],
            cancellationToken, (int)LocationLimits.ReadBackBytes);
        if (NotTaken.Contains(answer.StatusCode))
            return Holding.Unclear;
        if (!answer.IsSuccessStatusCode)
            return Holding.Other;
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        return await Digests.IsAsync(body, bytes, sha256, cancellationToken) ? Holding.Same : Holding.Other;
    }

    private async Task MakeFoldersAsync(string path, CancellationToken cancellationToken)
    {
        var names = path.Split('/');
        for (var i = 1; i < names.Length; i++)
        {
            var folder = FolderOf(string.Join('/', names[..i]));
            // 405: it is there already (RFC 4918, 9.3.1).
            using var answer = await target.SendAsync(
                () => new HttpRequestMessage(WebDav.MakeFolder, folder), $"make the folder of {path}",
                [HttpStatusCode.MethodNotAllowed], cancellationToken);
        }
    }

    private async Task RemoveAsync(Uri address, string doing, CancellationToken cancellationToken)
    {
        using var answer = await target.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Delete, address), doing, Missing, cancellationToken);
    }

    private async Task TryRemoveAsync(Uri address)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await RemoveAsync(address, "tidy up", soon.Token);
        }
        catch (Exception e) when (e is LocationException or OperationCanceledException)
        {
            // Left to the clean-up; the original failure matters more.
        }
    }
}
