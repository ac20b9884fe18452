namespace ClaimCheck.Adapter.Locations;

/// <summary>The rules for a location's settings: the value, the rule, and the consequence.</summary>
internal static class LocationRules
{
    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_");

    private static readonly SearchValues<char> UserCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+@\\");

    private static readonly string[] OurHeaders =
        ["Content-Length", "Content-Digest", "Content-Type", "Host", "Transfer-Encoding", "Destination", "Overwrite", "Depth"];

    public static IEnumerable<string> Problems(LocationOptions options) => Times(options).Concat(options.Kind switch
    {
        "folder" => Folder(options),
        "s3" => S3(options),
        "sftp" => Sftp(options),
        "http" => Http(options),
        var other => [$"Kind is '{other}', but must be folder, s3, sftp or http: this version can't write to others."],
    });

    private static IEnumerable<string> Times(LocationOptions options)
    {
        if (options.Retention is { } retention && (retention < TimeSpan.FromMinutes(1) || retention > TimeSpan.FromDays(3650)))
            yield return $"Retention is {retention}, but must be from a minute to ten years, or not set: batches would go before "
                + "they are read, or never.";
        if (options.TemporaryLease < TimeSpan.Zero || options.TemporaryLease > TimeSpan.FromDays(7))
            yield return $"TemporaryLease is {options.TemporaryLease}, but must be from zero to 7 days: what dead writers leave "
                + "would fill the location.";
        if (options.StallTimeout < TimeSpan.FromSeconds(1) || options.StallTimeout > TimeSpan.FromHours(1))
            yield return $"StallTimeout is {options.StallTimeout}, but must be from 1 second to 1 hour: a stalled location "
                + "would delay all batches.";
        if (options.MaxAttempts is < 1 or > 100)
            yield return $"MaxAttempts is {options.MaxAttempts}, but must be from 1 to 100: a file would be "
                + "sent never, or for ever.";
        if (options.RetryDelay < TimeSpan.Zero || options.RetryDelay > TimeSpan.FromMinutes(1))
            yield return $"RetryDelay is {options.RetryDelay}, but must be from zero to a minute: doubled, "
                + "the delays would not end.";
        if (options.PublicUrl is { } address && !IsAddress(address, _ => true))
            yield return "PublicUrl is not an absolute address without user, query and fragment: links made from it would lead "
                + "nowhere, or give credentials away.";
    }

    private static IEnumerable<string> Folder(LocationOptions options)
    {
        if (string.IsNullOrEmpty(options.Path) || !Path.IsPathFullyQualified(options.Path))
            yield return $"Path is '{options.Path}', but a folder needs an absolute one: relative ones depend on where "
                + "the process was started.";
    }

    private static IEnumerable<string> S3(LocationOptions options)
    {
        if (options.Bucket is not { Length: >= 3 and <= 63 } bucket
            || bucket.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-')))
            yield return $"Bucket is '{options.Bucket}', but a bucket's name has 3 to 63 letters, digits, dots and dashes: S3 "
                + "would refuse every request.";
        if (options.ServiceUrl is { } address && !(IsAddress(address, IsHttp) && new Uri(address).PathAndQuery == "/"))
            yield return "ServiceUrl is not http(s)://host[:port] without a path: requests signed for it would be refused.";
        if ((options.AccessKey is null) != (options.SecretKey is null))
            yield return "AccessKey and SecretKey belong together, but one is missing: no request could be signed.";
        if (options.SessionToken is not null && options.AccessKey is null)
            yield return "SessionToken is set, but belongs to an AccessKey: it would not be sent.";
        if (options.PartBytes is < 5 << 20 or > 1 << 30)
            yield return $"PartBytes is {options.PartBytes}, but must be from {5 << 20} (S3's own limit) to {1 << 30} (a "
                + "part is held in memory).";
        if (options.Path is { Length: > 0 } prefix && !LocationPath.IsPath(prefix))
            yield return $"Path is '{prefix}', but a prefix must be plain names with '/' between: other keys can't be "
                + "listed and deleted safely.";
        if (options.ServerSideEncryption is not (null or "AES256" or "aws:kms" or "aws:kms:dsse"))
            yield return $"ServerSideEncryption is '{options.ServerSideEncryption}', but must be AES256, aws:kms or "
                + "aws:kms:dsse: S3 would refuse every upload.";
        if (options.KmsKeyId is not null && options.ServerSideEncryption is null or "AES256")
            yield return "KmsKeyId is set, but takes effect only with ServerSideEncryption aws:kms or aws:kms:dsse: files would "
                + "not be encrypted with it.";
    }

    private static IEnumerable<string> Sftp(LocationOptions options)
    {
        if (string.IsNullOrEmpty(options.Host) || options.Host[0] == '-'
            || options.Host.AsSpan().ContainsAnyExcept(HostCharacters))
            yield return $"Host is '{options.Host}', but must be a name or address: nothing else can be connected to.";
        if (string.IsNullOrEmpty(options.User) || options.User[0] == '-'
            || options.User.AsSpan().ContainsAnyExcept(UserCharacters))
            yield return $"User is '{options.User}', but must be an account's name: no login would be possible.";
        if (options.Port is < 1 or > 65535)
            yield return $"Port is {options.Port}, but must be from 1 to 65535: nothing listens anywhere else.";
        if (string.IsNullOrEmpty(options.Path) || options.Path.Any(char.IsControl))
            yield return "Path is not set, or contains control characters: it names the folder at the server ('.' "
                + "for the account's home).";
        if (options.IdentityFile is null && string.IsNullOrEmpty(options.Password))
            yield return "IdentityFile and Password are not set, but one must be: the account could not be authenticated.";
        if (options.IdentityFile is null && (options.Passphrase ?? options.CertificateFile) is not null)
            yield return "Passphrase or CertificateFile is set, but belongs to an IdentityFile: it would not be used.";
        (string Name, string? File, bool IsNeeded)[] files =
        [
            (nameof(options.IdentityFile), options.IdentityFile, false),
            (nameof(options.CertificateFile), options.CertificateFile, false),
            (nameof(options.KnownHostsFile), options.KnownHostsFile, true),
        ];
        foreach (var (name, file, isNeeded) in files)
        {
            if (file is null ? isNeeded : file.Any(char.IsControl) || !Path.IsPathFullyQualified(file) || !File.Exists(file))
                yield return $"{name} is '{file}', but must be the absolute path of an existing file: without it neither side "
                    + "could authenticate the other.";
        }

        foreach (var problem in SshAlgorithms.Problems(options))
            yield return problem;
        if (options.Verify is not ("auto" or "checksum" or "length"))
            yield return $"Verify is '{options.Verify}', but must be auto, checksum or length.";
    }

    private static IEnumerable<string> Http(LocationOptions options)
    {
        if (options.Url is not { } url || !IsAddress(url, IsHttp))
            yield return "Url is not an absolute http(s) address without user, query and fragment: credentials belong in "
                + "Headers, and paths are appended to it.";
        foreach (var (name, value) in options.Headers)
        {
            if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                || OurHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
                yield return $"Headers has '{name}', but that is not a valid header name, or a header that each request sets "
                    + "itself: the target would misread it.";
            else if (value.Any(c => c is < ' ' or >= '\x7f'))
                yield return $"Headers:{name} has characters that are not visible ASCII: it can't be sent.";
        }
    }

    private static bool IsHttp(Uri uri) => uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps;

    private static bool IsAddress(string text, Func<Uri, bool> isFine) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Query.Length == 0
        && uri.Fragment.Length == 0
        && isFine(uri);
}
